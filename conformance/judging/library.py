"""The suite as a library: for a project's own tests, and for a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from conformance.contract.implementation import Implementation
from conformance.contract.session import Session, open_session
from conformance.errors import AdapterError, UsageError
from conformance.judging.cell import Judge, judge_cell
from conformance.judging.offered import supported_space
from conformance.judging.profiles import PROFILES, Profile
from conformance.judging.smoke import smoke
from conformance.properties import BY_SLUG
from conformance.properties.property import Property
from conformance.records.known import Expectation, known_path, load_known
from conformance.records.results import UNOFFERED, Cell, is_unexpected
from conformance.records.words import in_words


@dataclass(frozen=True, repr=False)
class CellId:
    """One cell to judge: as a pytest parameter, its ``str`` is the test's id."""

    implementation: Implementation
    device: str
    dtype: str
    prop: Property

    def __str__(self) -> str:
        return f"{self.implementation.name}-{self.device}-{self.dtype}-{self.prop.slug}"

    def __repr__(self) -> str:  # shown with every failure: the fields would fill the screen
        return f"<cell {self}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # the way in which Hypothesis asks


class NotConformant(AssertionError):
    """An implementation failed; the message holds every finding."""

    def __init__(self, cells: list[Cell]) -> None:
        self.cells = cells
        super().__init__("\n\n".join(finding(cell) for cell in cells))


def finding(cell: Cell) -> str:
    """A failed cell in a few lines."""
    lines = [f"{cell['id']}: {cell['outcome']}"]
    if cell["property"] in BY_SLUG:
        lines.append(f"  {BY_SLUG[cell['property']].statement}")
    if cell["message"] or cell["reason"]:
        lines.append(f"  {cell['message'] or cell['reason']}")
    if cell["witness"]:
        lines += [f"  {line}" for line in in_words(cell["witness"])]
    return "\n".join(lines)


def conformance_cells(
    implementation: Implementation,
    *,
    device: str = "cpu",
    dtypes: Iterable[str] | None = None,
    properties: Iterable[str] | None = None,
) -> list[CellId]:
    """The cells of an implementation, for ``pytest.mark.parametrize("cell", ..., ids=str)``.

    Raises:
        UsageError: a property is not known, or a dtype not declared.
    """
    _is_implementation(implementation)
    declared = implementation.capabilities.dtypes
    wanted = declared if dtypes is None else tuple(dtypes)
    slugs = tuple(BY_SLUG if properties is None else properties)
    for dtype in wanted:
        if dtype not in declared:
            raise UsageError(
                f"{implementation.name} declares the dtypes {', '.join(declared)}, not {dtype!r}"
            )
    for slug in slugs:
        if slug not in BY_SLUG:
            raise UsageError(f"unknown property {slug!r}; `conformance list properties` has all")
    return [
        CellId(implementation, device, dtype, BY_SLUG[slug]) for dtype in wanted for slug in slugs
    ]


def judge(cell: CellId, *, profile: str = "quick", seed: int = 0) -> Cell:
    """Judge one cell, in a pytest test: a failure raises, what is not offered is a skipped test.

    Raises:
        NotConformant: the property does not hold and nobody expected that, or it could not be
            judged.
    """
    session = open_session(cell.implementation, cell.device)
    record = _judged(session, cell, _profile(profile), seed, _expectations(cell.implementation))
    if record["outcome"] in UNOFFERED:
        pytest.skip(f"{record['outcome']}: {record['reason']}")
    if is_unexpected(record) or record["outcome"] == "not-run":
        raise NotConformant([record])
    return record


def judge_of(cell: CellId, profile: Profile, *, seed: int = 0) -> Judge:
    """What judges a cell, for those who drive it themselves (the pytest tests do).

    Raises:
        Unsupported: the implementation does not offer what the property is about.
    """
    session = open_session(cell.implementation, cell.device)
    narrow = supported_space(cell.prop, session, cell.dtype)
    known = [
        e
        for e in _expectations(cell.implementation)
        if e.concerns(cell.prop.slug, cell.device, cell.dtype)
    ]
    return Judge(
        session, cell.prop, cell.dtype, narrow, profile, seed, known, watch=lambda case: None
    )


def check(
    implementation: Implementation,
    *,
    device: str = "cpu",
    dtypes: Iterable[str] | None = None,
    properties: Iterable[str] | None = None,
    profile: str = "quick",
    seed: int = 0,
) -> list[Cell]:
    """Judge an implementation and raise with every finding; returns all cells if there is none.

    Raises:
        NotConformant: a must or should property fails, and nobody expected that.
        AdapterError: the adapter cannot answer the plainest questions, or there is nothing to ask.
    """
    cells = conformance_cells(implementation, device=device, dtypes=dtypes, properties=properties)
    session = open_session(implementation, device)
    broken = smoke(session)
    if broken:
        raise AdapterError("\n".join(found.message for found in broken))
    expectations = _expectations(implementation)
    records = [_judged(session, cell, _profile(profile), seed, expectations) for cell in cells]
    unexpected = [r for r in records if is_unexpected(r) or r["outcome"] == "not-run"]
    if unexpected:
        raise NotConformant(unexpected)
    if all(record["outcome"] in UNOFFERED for record in records):
        raise AdapterError(
            f"{implementation.name} offers nothing that these properties are about: nothing was "
            "judged"
        )
    return records


def _judged(
    session: Session,
    cell: CellId,
    profile: Profile,
    seed: int,
    expectations: tuple[Expectation, ...],
) -> Cell:
    return judge_cell(
        session,
        cell.prop,
        cell.dtype,
        profile=profile,
        seed=seed,
        expectations=expectations,
        watch=lambda case: None,
    )


def _profile(name: str) -> Profile:
    if name not in PROFILES:
        raise UsageError(f"unknown profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def _expectations(implementation: Implementation) -> tuple[Expectation, ...]:
    if implementation.source is None:
        return ()
    found = load_known(known_path(implementation.source))
    return tuple(e for e in found if e.implementation == implementation.name)


def _is_implementation(thing: Any) -> None:
    if not isinstance(thing, Implementation):
        raise UsageError(
            f"{thing!r} is no implementation: decorate the function with "
            '@implementation("name", dtypes=("float32",))'
        )
