"""The records of a run, arranged as the report needs them: who was asked what, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from conformance.errors import RecordsError
from conformance.records.results import VERDICT_LEVELS, is_unexpected
from conformance.records.results import Cell as CellRecord
from conformance.report.status import Status, status_of
from conformance.spec.formats import FORMATS

Record = Mapping[str, Any]

LARGEST_MATRIX = 200_000
"""Implementations times properties times dtypes: a page of that size takes some ten seconds."""


@dataclass(frozen=True, eq=False)
class Column:
    """An implementation on a device: a column of the matrix."""

    name: str
    device: str
    label: str
    about: Record
    """The implementation's entry in the header."""
    shared: bool = False
    """Whether it is one of several columns of its implementation, one a device."""

    @property
    def framework(self) -> str:
        return str(self.about["framework"] or "none")

    @property
    def library(self) -> str:
        """Whose loss it is: Keras' runs under TensorFlow, and is none of TensorFlow's."""
        own = str(self.about["distribution"] or self.framework)
        # A wheel of a framework may have a longer name than its library: tensorflow-cpu.
        return self.framework if own.startswith(f"{self.framework}-") else own

    @property
    def version(self) -> str:
        return " ".join(str(self.about[k]) for k in ("distribution", "version") if self.about[k])


@dataclass(frozen=True, eq=False)
class Cell:
    """One property of one implementation in one dtype on one device."""

    record: Record
    column: Column
    status: Status

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def dtype(self) -> str:
        return str(self.record["dtype"])

    @property
    def slug(self) -> str:
        return str(self.record["property"])

    @property
    def level(self) -> str:
        return str(self.record["level"])

    @property
    def device(self) -> str:
        return self.column.device

    @property
    def framework(self) -> str:
        return self.column.framework

    @property
    def unexpected(self) -> bool:
        return is_unexpected(cast(CellRecord, self.record))

    @property
    def counts(self) -> bool:
        """Whether it takes part in scores: behaviours are recorded, not judged."""
        return self.level in VERDICT_LEVELS

    @property
    def asked(self) -> int:
        return int(self.record["examples"]["corpus"]) + int(self.record["examples"]["searched"])


@dataclass(frozen=True)
class Run:
    """All records of one run."""

    header: Record
    columns: tuple[Column, ...]
    dtypes: tuple[str, ...]
    cells: tuple[Cell, ...]
    curves: tuple[Record, ...]
    footer: Record | None
    _index: dict[tuple[Column, str, str], Cell] = field(repr=False)

    @cached_property
    def properties(self) -> dict[str, Record]:
        return {p["slug"]: p for p in self.header["properties"]}

    @cached_property
    def families(self) -> dict[str, list[Record]]:
        """Properties by family, in the order of the catalogue."""
        found: dict[str, list[Record]] = {}
        for entry in self.header["properties"]:
            found.setdefault(entry["family"], []).append(entry)
        return found

    @property
    def packages(self) -> dict[str, str]:
        """What was installed, by name.

        What an implementation says it is of is among them: a wheel may go by another name than
        its library, as that of TensorFlow for the CPU does.
        """
        entries = self.header["implementations"]
        own = {e["distribution"]: e["version"] for e in entries if e["distribution"]}
        found = {name: version for name, version in own.items() if version}
        return dict(sorted({**found, **self.header["packages"]}.items()))

    @property
    def devices(self) -> list[str]:
        return list(dict.fromkeys(column.device for column in self.columns))

    @property
    def judged_on(self) -> list[str]:
        """The devices on which anything was asked: who could run elsewhere as well did not."""
        return [d for d in self.devices if any(c.asked for c in self.cells if c.device == d)]

    @property
    def frameworks(self) -> list[str]:
        """All frameworks, and the libraries that are none but run under one."""
        return sorted({name for c in self.columns for name in (c.framework, c.library)})

    def cell(self, column: Column, slug: str, dtype: str) -> Cell | None:
        return self._index.get((column, slug, dtype))

    def of(self, column: Column) -> list[Cell]:
        return self._by_column.get(column, [])

    def about(self, slug: str) -> list[Cell]:
        """The cells of a property, in the order of the columns and dtypes."""
        found = (self.cell(column, slug, dtype) for column in self.columns for dtype in self.dtypes)
        return [cell for cell in found if cell]

    @cached_property
    def _by_column(self) -> dict[Column, list[Cell]]:
        found: dict[Column, list[Cell]] = {}
        for cell in self.cells:
            found.setdefault(cell.column, []).append(cell)
        return found


def arrange(records: Iterable[Record]) -> Run:
    """The run behind some records.  They are taken as valid: the reader of records checks them.

    ``ValueError`` if there is no header among them, ``RecordsError`` if no page can hold them.
    """
    kinds: dict[str, list[Record]] = {"header": [], "cell": [], "curve": [], "footer": []}
    for record in records:
        kinds[record["kind"]].append(record)
    if not kinds["header"]:
        raise ValueError("no header among the records: nothing says what was run")
    header = kinds["header"][0]
    columns = _columns(header, kinds["cell"])
    cells = tuple(
        Cell(record, columns[record["implementation"], record["device"]], status_of(record))
        for record in kinds["cell"]
    )
    dtypes = _dtypes(cells)
    marks = len(columns) * len(header["properties"]) * max(1, len(dtypes))
    if marks > LARGEST_MATRIX:
        raise RecordsError(
            f"{marks} marks in the matrix of one page, which holds {LARGEST_MATRIX}: make a page "
            "of fewer implementations"
        )
    return Run(
        header=header,
        columns=tuple(columns.values()),
        dtypes=dtypes,
        cells=cells,
        curves=tuple(kinds["curve"]),
        footer=kinds["footer"][0] if kinds["footer"] else None,
        _index={(cell.column, cell.slug, cell.dtype): cell for cell in cells},
    )


def _columns(header: Record, cells: list[Record]) -> dict[tuple[str, str], Column]:
    """A column for each (implementation, device); one that left no cell is shown all the same."""
    devices: dict[str, list[str]] = {i["name"]: [] for i in header["implementations"]}
    for cell in cells:
        seen = devices[cell["implementation"]]
        if cell["device"] not in seen:
            seen.append(cell["device"])
    several = len({device for seen in devices.values() for device in seen}) > 1
    return {
        (about["name"], device): Column(
            about["name"],
            device,
            f"{about['name']} on {device}" if several else about["name"],
            about,
            shared=len(devices[about["name"]]) > 1,
        )
        for about in header["implementations"]
        for device in devices[about["name"]] or [""]
    }


def _dtypes(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    """The dtypes of the run, in the order of the formats; any others after them."""
    found = {cell.dtype for cell in cells}
    return tuple(d for d in FORMATS if d in found) + tuple(sorted(found - set(FORMATS)))
