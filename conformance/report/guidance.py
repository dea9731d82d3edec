"""Which implementation to take: what the records say, and no opinion.

By library: those of which no ``must`` fails in any dtype that they offer, or the one of which
fewest of these fail; among them first the one of which most cells pass.  Who is asked less, since
it offers less, fails less, and that is no merit.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.report.run import Column, Run
from conformance.report.verdict import score


@dataclass(frozen=True)
class Choice:
    """How often an implementation fails, of how much that was judged."""

    column: Column
    must: int
    should: int
    judged: int
    dtypes: tuple[str, ...]
    """In which it was judged, where that is not all of the run."""


def choices(run: Run) -> dict[str, list[Choice]]:
    """For each library the implementations to prefer, the first of them most."""
    found: dict[str, list[Choice]] = {}
    for column in run.columns:
        cells = run.of(column)
        failing = [cell.level for cell in cells if cell.counts and cell.status.detailed]
        judged = score(cells).judged
        dtypes = tuple(
            d for d in run.dtypes if any(c.dtype == d and c.status.judged for c in cells)
        )
        if judged:
            some = dtypes if len(dtypes) < len(run.dtypes) else ()
            choice = Choice(column, failing.count("must"), failing.count("should"), judged, some)
            found.setdefault(column.library, []).append(choice)
    return {library: _best(all_) for library, all_ in sorted(found.items())}


def _best(found: list[Choice]) -> list[Choice]:
    ranked = sorted(found, key=lambda c: (c.must, c.must + c.should - c.judged, c.column.label))
    return [choice for choice in ranked if not choice.must] or ranked[:1]
