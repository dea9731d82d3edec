"""The question in flight: a file in which a worker notes what it asks, and which its parent reads.

Eight bytes that tell when it was asked (by the machine's monotonic clock; zero: it is answered),
eight for the length of the case, and the case as JSON.  It survives whatever the call does.
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import pack, unpack
from time import monotonic

from conformance.cases.case import Case
from conformance.errors import ConformanceError, RecordsError
from conformance.records.schema import Record, parse, to_json
from conformance.records.witness import decode_case, encode_case

_ANSWERED = pack("<d", 0.0)


class Watch:
    """Notes each case before it is asked, and with None that it is answered."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._last: Case | None = None

    def __call__(self, case: Case | None) -> None:
        if case is None:
            os.pwrite(self._descriptor, _ANSWERED, 0)
        elif case is self._last:
            os.pwrite(self._descriptor, pack("<d", monotonic()), 0)
        else:
            self._last = case
            note = _note(case)
            os.pwrite(self._descriptor, pack("<dQ", monotonic(), len(note)) + note, 0)


def _note(case: Case) -> bytes:
    try:
        return to_json(encode_case(case, effort=0)).encode()
    except RecordsError as error:
        return to_json({"too large": str(error)}).encode()


def asked_at(path: Path) -> float | None:
    """When the question was asked that has no answer yet; None where there is none."""
    stamp = _stamp(path)
    while (again := _stamp(path)) != stamp:  # it was being written
        stamp = again
    return unpack("<d", stamp)[0] or None if len(stamp) == 8 else None


def _stamp(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(8)
    except OSError:
        return b""


def noted_case(path: Path) -> Record | None:
    """The last case that was noted; None where there is no whole one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    length = int.from_bytes(content[8:16], "little")
    try:
        return encode_case(decode_case(parse(content[16 : 16 + length], "the case in flight")))
    except ConformanceError:
        return None
