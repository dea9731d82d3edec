"""Writing a results file: each record is on disk, whole, before the next one is made.

A header names the implementations of the run, and an implementation is known only once its worker
answers.  So the header is rewritten, atomically, whenever an implementation joins, and cells are
appended.  ``finish`` puts the records in their canonical order (as the targets were given, not
as workers raced), adds the footer and replaces the file in one step.

Whatever ends the process or the machine, the file is what it was before the last step, or after it:
a power cut loses the record that is being written, and no other.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from conformance.errors import StorageError, UsageError
from conformance.records.results import (
    Cell,
    Curve,
    Footer,
    Header,
    Implementation,
    Results,
    canonical_order,
    is_unexpected,
    now,
)
from conformance.records.schema import check, to_json

_Place = tuple[tuple[object, ...], int, int]
"""Of a record: its key in the canonical order, where it starts in the body, its length."""

_sync_data = getattr(os, "fdatasync", os.fsync)  # not everywhere


class ResultsWriter:
    """Appends records to a results file, which it makes anew, in place of an older one.  Leaving
    the context without ``finish`` leaves the file truncated, valid up to its last line.

    ``StorageError`` where the file cannot be written; ``RecordsError`` for a record against the
    schema, nothing of which is written.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        *,
        order: Sequence[str] = (),
        kept: Iterable[Cell | Curve] = (),
    ) -> None:
        """``order``: the names of the implementations in the finished file.  ``kept``: the records
        that an interrupted run has left; its header goes with them."""
        self.path = path
        self._header = header
        self._order = list(order)
        self._body: list[_Place] = []
        self._outcomes: dict[str, int] = {}
        self._unexpected = 0
        self._began = monotonic()
        self._key = canonical_order(self._order, [p["slug"] for p in header["properties"]])
        check("header", header, "header")
        lines = [_line(header)]
        for record in kept:
            lines.append(_line(record))
            self._count(record, len(lines[-1]))
        self._file = _replaced(path, lines)
        self._head = len(lines[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()

    def join(self, entry: Implementation, packages: Mapping[str, str]) -> None:
        """Add an implementation to the header, and the packages that it was found with."""
        entries = [*self._header["implementations"], entry]
        header = self._header | {
            "implementations": sorted(entries, key=lambda e: self._order.index(e["name"])),
            "packages": dict(sorted({**self._header["packages"], **packages}.items())),
        }
        check("header", header, f"implementation {entry['name']}")
        self._header = header
        self._rewrite(self._body)

    def write(self, record: Cell | Curve) -> None:
        """Append a cell or a curve."""
        check(record["kind"], record, f"{record['kind']} of {record['implementation']}")
        line = _line(record)
        self._append(line)
        self._count(record, len(line))

    def finish(self) -> Footer:
        """Complete the file: canonical order, footer."""
        footer: Footer = {
            "kind": "footer",
            "complete": True,
            "cells": sum(self._outcomes.values()),
            "outcomes": dict(sorted(self._outcomes.items())),
            "unexpected": self._unexpected,
            "finished": now(),
            "seconds": round(monotonic() - self._began, 3),
        }
        check("footer", footer, "footer")
        self._rewrite(sorted(self._body), _line(footer))
        return footer

    def _count(self, record: Cell | Curve, length: int) -> None:
        start = sum(self._body[-1][1:]) if self._body else 0
        self._body.append((self._key(record), start, length))
        if record["kind"] == "cell":
            outcome = record["outcome"]
            self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
            self._unexpected += is_unexpected(record)

    def _append(self, line: bytes) -> None:
        end, rest = self._file.tell(), line
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            _sync_data(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(end)
            raise _unwritable(self.path, error) from None

    def _rewrite(self, body: Iterable[_Place], tail: bytes = b"") -> None:
        """Replace the file by the header, ``body`` in its order, and ``tail``."""
        head, old = _line(self._header), self._file
        kept = (os.pread(old.fileno(), size, self._head + start) for _, start, size in body)
        self._file = _replaced(self.path, (head, *kept, tail))
        self._head = len(head)
        old.close()


def write_results(path: Path, results: Results) -> None:
    """Write a results file whole, in place of an older one.  ``StorageError`` where that fails."""
    _replaced(path, map(_line, results.records())).close()


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep every other run out of a folder.  ``UsageError`` where one is writing there."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another run is writing to {folder}: wait for its end, or name another --output"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(descriptor)


def _replaced(path: Path, lines: Iterable[bytes]) -> FileIO:
    """The file, open at its end, once it was replaced in one step."""
    draft = path.with_name(path.name + ".draft")
    try:
        with draft.open("wb") as out:
            out.writelines(lines)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)  # whose entry must survive a power cut, too
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        file = FileIO(path, "r+")  # unbuffered: what was refused once is not written at the end
        file.seek(0, os.SEEK_END)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return file


def _line(record: Any) -> bytes:
    return (to_json(record) + "\n").encode("utf-8", "replace")


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path}: cannot be written: {error.strerror}")
