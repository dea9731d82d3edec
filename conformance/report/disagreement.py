"""Where implementations disagree on the same cases.

The corpus is the same for every implementation, so the corpus strings of a property and dtype can
be laid over each other: a case that one passes and another fails is a disagreement, whoever is
right by the formula.  What a cell was asked besides (the witnesses of known failures, the search)
nobody else was: who fails there is wrong, too, and said to be so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.records.consistency import UNASKED
from conformance.records.results import VERDICT_LEVELS
from conformance.report.harm import severity
from conformance.report.run import Cell, Column, Run

FAILED = frozenset("fe")

WRONG = ("fail", "error", "crash", "timeout", "flaky")

READABLE = 12
"""Logits of a counterexample that one sees at a glance: such disagreements come first."""


@dataclass(frozen=True)
class Split:
    """A property in one dtype whose corpus cases divide the implementations."""

    slug: str
    dtype: str
    cases: tuple[int, ...]
    """The corpus cases that some pass and some do not."""
    length: int
    """How many cases the corpus has."""
    against: tuple[Cell, ...]
    """Those that fail some case that another passes, the worst first."""
    agreeing: tuple[Cell, ...]
    """Those that pass every case in question that they were asked."""

    def failures(self, cell: Cell) -> int:
        """How many of the dividing cases an implementation fails."""
        return sum(_letter(cell, case) in FAILED for case in self.cases)


def shared(cell: Cell) -> str:
    """How a cell did on the shared cases, in words: ``2 of 31 wrong``.

    Where it is wrong, and on none of these, that is said: its witness is of another case.
    """
    letters: str = cell.record["corpus"]
    asked = len(letters) - letters.count("-")
    wrong = sum(letter in FAILED for letter in letters)
    if wrong or cell.record["outcome"] not in WRONG:
        return f"{wrong} of {asked} wrong"
    right = "the one shared case" if asked == 1 else f"all {asked} shared cases"
    return f"right on {right}, wrong on another" if asked else "wrong on another case"


@dataclass(frozen=True)
class Disagreement:
    """All splits over one property, a dtype each."""

    slug: str
    splits: tuple[Split, ...]
    smallest: Cell | None
    """The cell with the smallest witness among those that fail."""
    cells: tuple[Cell, ...]
    """All cells of the property."""

    @property
    def widest(self) -> Split:
        """The split that divides most implementations."""
        return max(self.splits, key=lambda s: (len(s.against), len(s.cases)))

    @property
    def against(self) -> list[Column]:
        """Who fails, in any dtype: those that fail most of the widest split's cases first."""
        failing = dict.fromkeys(cell.column for s in self.splits for cell in s.against)
        most = {cell.column: self.widest.failures(cell) for cell in self.widest.against}
        return sorted(failing, key=lambda column: -most.get(column, 0))

    @property
    def elsewhere(self) -> list[Column]:
        """Who is wrong, but on other cases than the shared ones that divide them."""
        against = self.against
        wrong = (cell for cell in self.cells if cell.record["outcome"] in WRONG)
        return [c for c in dict.fromkeys(cell.column for cell in wrong) if c not in against]

    @property
    def right(self) -> list[Column]:
        """Who passes in every dtype where anything was asked, and was asked a dividing case."""
        agreeing = dict.fromkeys(cell.column for s in self.splits for cell in s.agreeing)
        short = {c.column for c in self.cells if c.record["outcome"] not in ("pass", *UNASKED)}
        return [column for column in agreeing if column not in short]


def disagreements(run: Run) -> list[Disagreement]:
    """The properties that divide the implementations: the unexpected first, then by extent."""
    found = []
    for slug, entry in run.properties.items():
        if entry["level"] not in VERDICT_LEVELS:
            continue  # no answer is wrong at a choice point
        splits = [split for dtype in run.dtypes if (split := _split(run, slug, dtype))]
        if splits:
            failing = [cell for split in splits for cell in split.against]
            found.append(
                Disagreement(slug, tuple(splits), _smallest(failing), tuple(run.about(slug)))
            )
    return sorted(found, key=lambda one: _importance(run, one))


def _split(run: Run, slug: str, dtype: str) -> Split | None:
    cells = [
        cell for c in run.columns if (cell := run.cell(c, slug, dtype)) and cell.record["corpus"]
    ]
    length = max((len(cell.record["corpus"]) for cell in cells), default=0)
    cases = []
    for case in range(length):
        letters = {_letter(cell, case) for cell in cells}
        if "p" in letters and letters & FAILED:
            cases.append(case)
    if not cases:
        return None
    split = Split(slug, dtype, tuple(cases), length, (), ())
    against = sorted((cell for cell in cells if split.failures(cell)), key=severity)
    agreeing = [c for c in cells if c not in against and any(_letter(c, i) == "p" for i in cases)]
    return Split(slug, dtype, split.cases, length, tuple(against), tuple(agreeing))


def _letter(cell: Cell, case: int) -> str:
    letters: str = cell.record["corpus"]
    return letters[case] if case < len(letters) else "-"


def _smallest(cells: Sequence[Cell]) -> Cell | None:
    return min((cell for cell in cells if cell.record["witness"]), key=witness_size, default=None)


def witness_size(cell: Cell) -> tuple[int, int]:
    """The number of logits in a cell's witness, then their bytes: small ones are easy to read."""
    logits = cell.record["witness"]["case"]["logits"]
    return math.prod(logits["shape"]), len(logits["data"])


def _importance(run: Run, found: Disagreement) -> tuple[object, ...]:
    cells = [cell for split in found.splits for cell in split.against]
    readable = found.smallest is not None and witness_size(found.smallest)[0] <= READABLE
    return (
        not any(cell.unexpected for cell in cells),
        run.properties[found.slug]["level"] != "must",
        not readable,
        -len({cell.column for cell in cells}),
        -sum(len(split.cases) for split in found.splits),
    )
