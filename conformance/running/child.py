"""The other end of ``process.Worker``: how a worker hears its job, reports, and is cut off."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from conformance.records.schema import Record, to_json

BORDERS = ("begin", "cell")
"""The reports that end what was printed so far."""


class Link:
    """A worker's link to its parent.

    Standard input becomes empty and standard output the implementation's alone: the pipes of the
    protocol are not passed on to what it starts.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._pipe = int(sys.argv[1])
        os.set_inheritable(self._pipe, False)
        self._requests: BinaryIO = os.fdopen(os.dup(0), "rb")
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        self._output = os.dup(1)
        self.job: Record = json.loads(self._requests.readline())
        self._mark = bytes.fromhex(self.job["mark"])

    def requests(self) -> Iterator[Record]:
        """What the parent sends after the job, until it is done."""
        for line in self._requests:
            yield json.loads(line)

    def report(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        if os.getpid() != self._process:
            os._exit(0)  # the implementation has forked, and its child came back to us
        if kind in BORDERS:
            self._cut_output()
        line = (to_json({"kind": kind} | fields) + "\n").encode("utf-8", "replace")
        while line:
            line = line[os.write(self._pipe, line) :]

    def _cut_output(self) -> None:
        flush()
        with suppress(OSError):  # closed by the implementation: then there is no output to cut
            os.set_blocking(self._output, True)
            os.write(self._output, self._mark)


def flush() -> None:
    """Let go of what was printed and lies in a buffer, Python's or C's."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # whatever the implementation has put there
            stream.flush()
    ctypes.CDLL(None).fflush(None)
