"""Writing a results file: each record is on disk, whole, before the next one is made.

A header names the implementations of the run, and an implementation is known only once its worker
answers.  So the header is rewritten, atomically, whenever an implementation joins, and cells are
appended.  ``finish`` puts the records in their canonical order (as the targets were given, not
as workers raced), adds the footer and replaces the file in one step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, BinaryIO, Self

from conformance.errors import RecordsError
from conformance.records.results import (
    Cell,
    Curve,
    Footer,
    Header,
    Implementation,
    is_unexpected,
    now,
)
from conformance.records.schema import check, to_json

Rank = tuple[int, ...]


class ResultsWriter:
    """Appends records to a results file.  Leaving the context without ``finish`` leaves the file
    truncated, valid up to its last line.

    ``RecordsError`` where the file cannot be written, and for a record against the schema (nothing
    of which is written).
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._header = header
        self._ranks: dict[str, Rank] = {}
        self._body: list[tuple[Rank, int, int]] = []  # rank, start in the body, length
        self._outcomes: dict[str, int] = {}
        self._unexpected = 0
        self._began = monotonic()
        check("header", header, "header")
        try:
            self._file: BinaryIO = path.open("w+b")
            self._head = self._append(_line(header))
        except OSError as error:
            raise _unwritable(path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()

    def join(self, entry: Implementation, rank: Rank, packages: Mapping[str, str]) -> None:
        """Add an implementation to the header, and the packages that it was found with.

        ``rank`` orders it in the finished file.
        """
        ranks = self._ranks | {entry["name"]: rank}
        entries = [*self._header["implementations"], entry]
        header = self._header | {
            "implementations": sorted(entries, key=lambda e: ranks[e["name"]]),
            "packages": dict(sorted({**self._header["packages"], **packages}.items())),
        }
        check("header", header, f"implementation {entry['name']}")
        self._header, self._ranks = header, ranks
        self._rewrite(self._body)

    def write(self, record: Cell | Curve) -> None:
        """Append a cell or a curve."""
        check(record["kind"], record, f"{record['kind']} of {record['implementation']}")
        start = sum(self._body[-1][1:]) if self._body else 0
        try:
            length = self._append(_line(record))
        except OSError as error:
            raise _unwritable(self.path, error) from None
        self._body.append((self._ranks[record["implementation"]], start, length))
        if record["kind"] == "cell":
            outcome = record["outcome"]
            self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
            self._unexpected += is_unexpected(record)

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

    def _append(self, line: bytes) -> int:
        self._file.write(line)
        self._file.flush()
        return len(line)

    def _rewrite(self, body: list[tuple[Rank, int, int]], tail: bytes = b"") -> None:
        """Replace the file, atomically, by the header, ``body`` in its order, and ``tail``."""
        draft = self.path.with_name(self.path.name + ".draft")
        head = _line(self._header)
        try:
            with draft.open("wb") as out:
                out.write(head)
                for _, start, length in body:
                    self._file.seek(self._head + start)
                    out.write(self._file.read(length))
                out.write(tail)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(self.path)
            self._file.close()
            self._file = self.path.open("r+b")
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        finally:
            draft.unlink(missing_ok=True)
        self._head = len(head)


def _line(record: Any) -> bytes:
    return (to_json(record) + "\n").encode("utf-8", "replace")


def _unwritable(path: Path, error: OSError) -> RecordsError:
    return RecordsError(f"{path}: cannot be written: {error.strerror}")
