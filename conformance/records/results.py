"""A results file: what happened in a run, as JSON Lines.

A header, a line a cell, a line a curve, a footer.  The writer appends and flushes each record, so
that an interrupted run leaves a file that is valid up to its last line; only a complete run has a
footer, and without one a file is never taken for complete.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from conformance.errors import RecordsError
from conformance.records.consistency import contradiction, curve_contradiction, gap
from conformance.records.packed import CutError
from conformance.records.schema import Record, check, parse, read_lines
from conformance.records.witness import decode_case, decode_witness
from conformance.spec.formats import FORMATS

Number = float | Literal["nan", "inf", "-inf"]

JUDGED = ("pass", "fail", "error", "timeout", "crash", "flaky", "vacuous")
"""The outcomes of a cell that was asked.  The others: unsupported, inapplicable, not-run."""
UNOFFERED = ("unsupported", "inapplicable")
"""The implementation does not offer what is asked, or nothing is asked there of anybody."""
FAILURES = JUDGED[1:]
VERDICT_LEVELS = ("must", "should")
"""The levels that are judged; a behaviour is recorded."""


class Implementation(TypedDict):
    name: str
    framework: str | None
    distribution: str | None
    version: str | None
    description: str
    links: list[str]
    capabilities: dict[str, Any]
    adapter: str | None


class PropertyEntry(TypedDict):
    slug: str
    family: str
    level: str
    statement: str
    formula: str
    needs: list[str]
    regimes: list[str]
    strong: list[str]
    links: list[str]


class Part(TypedDict):
    """One of several runs that were merged: where and when it took place."""

    run: str
    started: str
    shard: str | None
    host: dict[str, Any]
    packages: dict[str, str]


class Header(TypedDict):
    kind: Literal["header"]
    schema: int
    run: str
    started: str
    suite: dict[str, str | None]
    profile: str
    seed: int
    host: dict[str, Any]
    packages: dict[str, str]
    implementations: list[Implementation]
    properties: list[PropertyEntry]
    shard: NotRequired[str | None]
    """Which part of a run this is: 2/8.  None for the whole; absent from older files."""
    parts: NotRequired[list[Part]]
    """The runs that were merged into this one; absent from a run's own file."""


class Cell(TypedDict):
    kind: Literal["cell"]
    id: str
    implementation: str
    device: str
    dtype: str
    property: str
    level: str
    outcome: str
    expectation: Literal["known", "stale"] | None
    reason: str | None
    link: str | None
    message: str | None
    label: str | None
    examples: dict[str, int]
    regimes: dict[str, int]
    corpus: str
    worst: dict[str, Any] | None
    power: dict[str, int] | None
    accuracy: dict[str, Any] | None
    seconds: float
    witness: dict[str, Any] | None
    failed: NotRequired[int]
    """How many of the executed cases were answered wrongly; absent from older files."""
    most_ulp: NotRequired[dict[str, Any] | None]
    """The answer with the largest error in ulp, where errors are kept; absent from older files."""
    output: NotRequired[str | None]
    """What the implementation printed meanwhile, bounded; absent from older files."""


class Curve(TypedDict):
    kind: Literal["curve"]
    implementation: str
    device: str
    dtype: str
    points: list[dict[str, Number | None]]


class Footer(TypedDict):
    kind: Literal["footer"]
    complete: Literal[True]
    cells: int
    outcomes: dict[str, int]
    unexpected: int
    finished: str
    seconds: float


@dataclass(frozen=True)
class Results:
    """The content of a results file."""

    header: Header
    cells: tuple[Cell, ...] = ()
    curves: tuple[Curve, ...] = ()
    footer: Footer | None = None

    @property
    def complete(self) -> bool:
        return self.footer is not None

    def records(self) -> Iterator[Record]:
        """Every record, in the order of the file."""
        records = (self.header, *self.cells, *self.curves, self.footer)
        yield from (dict(record) for record in records if record is not None)


def cell_id(implementation: str, device: str, dtype: str, slug: str) -> str:
    """The stable id of a cell."""
    return f"{implementation}/{device}/{dtype}/{slug}"


def blank_cell(
    implementation: str, device: str, dtype: str, slug: str, level: str, **fields: Any
) -> Cell:
    """A cell without evidence, to be filled in by ``fields`` (at least ``outcome``)."""
    blank = {
        "kind": "cell",
        "id": cell_id(implementation, device, dtype, slug),
        "implementation": implementation,
        "device": device,
        "dtype": dtype,
        "property": slug,
        "level": level,
        "outcome": "not-run",
        "expectation": None,
        "reason": None,
        "link": None,
        "message": None,
        "label": None,
        "examples": {"corpus": 0, "searched": 0, "floor": 0},
        "regimes": {},
        "corpus": "",
        "failed": 0,
        "worst": None,
        "most_ulp": None,
        "power": None,
        "accuracy": None,
        "seconds": 0.0,
        "witness": None,
        "output": None,
    }
    return cast(Cell, blank | fields)


def canonical_order(
    names: Sequence[str], slugs: Sequence[str]
) -> Callable[[Cell | Curve], tuple[object, ...]]:
    """The key that sorts the records of a finished file, however its workers raced: by
    implementation, cells before curves, by device, dtype and property."""
    dtypes = {dtype: n for n, dtype in enumerate(FORMATS)}
    implementations, properties = ({x: n for n, x in enumerate(xs)} for xs in (names, slugs))

    def key(record: Cell | Curve) -> tuple[object, ...]:
        dtype = record["dtype"]
        slug = properties[record["property"]] if record["kind"] == "cell" else len(properties)
        curve = record["kind"] == "curve"
        where = (implementations[record["implementation"]], curve, record["device"])
        return (*where, dtypes.get(dtype, len(dtypes)), dtype, slug)

    return key


def is_unexpected(cell: Cell, levels: Iterable[str] = VERDICT_LEVELS) -> bool:
    """Whether the cell is a failure that nobody expected, or an expectation that is stale.

    A crash, a timeout or a flaky answer counts at every level; only a wrong one depends on it.
    """
    if cell["outcome"] == "fail" and cell["level"] not in levels:
        return False
    failed = cell["outcome"] in FAILURES and cell["expectation"] is None
    return failed or cell["expectation"] == "stale"


def now() -> str:
    """This moment in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_run() -> str:
    """A fresh run id: the moment, and a few random digits."""
    return f"{now()}-{secrets.token_hex(3)}"


# --- Reading -------------------------------------------------------------------------------------


def read_results(path: Path | str, *, strict: bool = False) -> Results:
    """The results in a file, which may be compressed by xz.

    ``RecordsError`` for a file that is missing, empty, not JSON, of a newer schema, against the
    schema, or that contradicts itself.  A file without its footer, and a compressed one that was
    cut off, is ``complete == False``; ``strict`` makes that an error, too.
    """
    path = Path(path)
    records = _parsed(path, strict=strict)
    header = next(records, None)
    if header is None:
        raise RecordsError(f"{path}: empty; a results file begins with a header")
    check("header", header, f"{path} line 1")
    results = _collect(cast(Header, header), records, path)
    if strict and not results.complete:
        raise RecordsError(f"{path}: truncated: no footer, the run that wrote it did not finish")
    return results


def glance(path: Path) -> tuple[str | None, int, bool]:
    """Of a results file that is our own: its run, how many cells it has, whether it is complete.

    Nothing is checked, which takes its time.  No run where this is no results file.
    """
    with suppress(RecordsError, KeyError, TypeError):
        header, *records = [r for r in _parsed(path) if r is not _CUT and r is not _LOST]
        kinds = Counter(record["kind"] for record in records)
        return header["run"], kinds["cell"], kinds["footer"] > 0
    return None, 0, False


_CUT = object()
"""Stands for a last line without its end that is no record: the writer was cut off there."""

_LOST = object()
"""Stands for the end of a compressed file that was cut off, whatever could be read of it."""


def _parsed(path: Path, *, strict: bool = False) -> Iterator[Any]:
    """What the lines of a file say; nothing if there is not one.

    ``CutError`` where it is compressed and was cut off: with ``strict``, or before its first line.
    """
    begun = False
    try:
        for value in _values(path):
            yield value
            begun = True
    except CutError:
        if strict or not begun:
            raise
        yield _LOST


def _values(path: Path) -> Iterator[Any]:
    lines = read_lines(path)
    for number, line in enumerate(lines, 1):
        if number == 1 and not line.strip() and not any(map(bytes.strip, lines)):
            return
        try:
            yield parse(line, f"{path} line {number}")
        except RecordsError:
            if number == 1 or line.endswith(b"\n"):
                raise
            yield _CUT


def _collect(header: Header, records: Iterable[Any], path: Path) -> Results:
    cells: dict[str, Cell] = {}
    curves: dict[tuple[str, str, str], Curve] = {}
    footer: Footer | None = None
    implementations = _by_name(header["implementations"], "name", f"{path} line 1: implementation")
    properties = _by_name(header["properties"], "slug", f"{path} line 1: property")
    for number, record in enumerate(records, 2):
        where = f"{path} line {number}"
        if record is _LOST:
            footer = None
            break
        if footer is not None:
            raise RecordsError(f"{where}: a record after the footer")
        if record is _CUT:
            break
        kind = str(record.get("kind"))[:100] if isinstance(record, dict) else "no object"
        if kind == "footer":
            check("footer", record, where)
            footer = _agreed(cast(Footer, record), tuple(cells.values()), where)
            if said := gap(header, cells.values()):
                raise RecordsError(f"{where}: complete, says the footer, and yet {said}")
            continue
        if kind not in ("cell", "curve"):
            raise RecordsError(f"{where}: expected a cell, a curve or the footer, got {kind!r}")
        check(kind, record, where)
        implementation = implementations.get(record["implementation"])
        if implementation is None:
            raise RecordsError(f"{where}: {record['implementation']!r} is not in the header")
        if kind == "cell":
            _check_cell(record, properties.get(record["property"]), implementation, where)
            if cells.setdefault(record["id"], record) is not record:
                raise RecordsError(f"{where}: a second cell {record['id']}")
        else:
            if said := curve_contradiction(record, implementation):
                raise RecordsError(f"{where}: {said}")
            place = (record["implementation"], record["device"], record["dtype"])
            if curves.setdefault(place, record) is not record:
                raise RecordsError(f"{where}: a second curve of {'/'.join(place)}")
    return Results(header, tuple(cells.values()), tuple(curves.values()), footer)


def _by_name(entries: Iterable[Any], name: str, what: str) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for entry in entries:
        if found.setdefault(entry[name], entry) is not entry:
            raise RecordsError(f"{what} {entry[name]!r} is listed twice")
    return found


def _check_cell(cell: Cell, prop: Record | None, implementation: Record, where: str) -> None:
    slug = cell["property"]
    if prop is None:
        raise RecordsError(f"{where}: property {slug!r} is not in the header")
    if cell["level"] != prop["level"]:
        raise RecordsError(
            f"{where}: {slug} is {cell['level']} here and {prop['level']} in the header"
        )
    if cell["id"] != cell_id(cell["implementation"], cell["device"], cell["dtype"], slug):
        raise RecordsError(f"{where}: id {cell['id']} does not say what the cell is")
    if cell["witness"]:
        decode_witness(cell["witness"], where)
    for answer in (cell["worst"], cell.get("most_ulp")):
        try:
            if answer and answer.get("case"):
                decode_case(answer["case"])
        except RecordsError as error:
            raise RecordsError(f"{where}: the largest error's {error}") from None
    if said := contradiction(cast(Record, cell), prop, implementation):
        raise RecordsError(f"{where}: {cell['id']}: {said}")


def _agreed(footer: Footer, cells: tuple[Cell, ...], where: str) -> Footer:
    """The footer, once its counts are those of the cells."""
    for name, counted in tally(cells).items():
        if footer[name] != counted:  # type: ignore[literal-required]
            said = footer[name]  # type: ignore[literal-required]
            raise RecordsError(f"{where}: the footer says {name} {said}, the file has {counted}")
    return footer


def tally(cells: Iterable[Cell]) -> dict[str, Any]:
    """What a footer says of the cells."""
    cells = tuple(cells)
    return {
        "cells": len(cells),
        "outcomes": dict(sorted(Counter(cell["outcome"] for cell in cells).items())),
        "unexpected": sum(map(is_unexpected, cells)),
    }
