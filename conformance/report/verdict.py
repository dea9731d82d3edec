"""What a run comes to: scores, and the verdict in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.report.harm import worst_first
from conformance.report.run import Cell, Column, Run
from conformance.report.status import STATUSES, WORST_FIRST, Status
from conformance.report.text import counted, listed, percent, share, spelled


@dataclass(frozen=True)
class Score:
    """passed / judged, beside judged / applicable.

    Applicable is every must and should cell that asks something in its dtype on its device, whether
    or not the implementation offers what it needs: what is unsupported lowers the coverage and
    never raises the score.
    """

    passed: int
    judged: int
    applicable: int

    @property
    def score(self) -> str:
        return percent(self.passed, self.judged)

    @property
    def coverage(self) -> str:
        return percent(self.judged, self.applicable)


def score(cells: Iterable[Cell]) -> Score:
    counting = [cell for cell in cells if cell.counts and cell.status.name != "inapplicable"]
    judged = [cell for cell in counting if cell.status.judged]
    passed = [cell for cell in judged if cell.status.name == "pass"]
    return Score(len(passed), len(judged), len(counting))


def tally(cells: Iterable[Cell]) -> dict[Status, int]:
    """How many cells ended in which way, in the order of the legend; ways that occur."""
    counts = Counter(cell.status for cell in cells)
    return {status: counts[status] for status in STATUSES.values() if counts[status]}


def headline(run: Run) -> str:
    """The verdict in one sentence: what is broken, then whether anybody expected that."""
    unexpected = [cell for cell in run.cells if cell.unexpected]
    if not any(cell.status.judged for cell in run.cells):
        return "Nothing was judged."
    if unexpected:
        columns = {cell.column for cell in unexpected}
        cells = spelled(len(unexpected), "cell fails", "cells fail").capitalize()
        return f"{cells} unexpectedly, in {len(columns)} of {_implementations(run)}."
    total = score(run.cells)
    if failing := [cell for cell in run.cells if cell.counts and cell.status.detailed]:
        columns = {cell.column for cell in failing}
        fail = "fails" if len(columns) == 1 else "fail"
        return (
            f"{len(columns)} of {_implementations(run)} {fail}, in {len(failing):,} of "
            f"{counted(total.judged, 'judged cell')}; each failure was recorded beforehand."
        )
    return "Everything that was judged passed."


def _implementations(run: Run) -> str:
    return counted(len(run.columns), "implementation")


def story(run: Run) -> list[str]:
    """The verdict in paragraphs: what passed, what fails as known and what is new, the rest."""
    counts, total = tally(run.cells), score(run.cells)
    asked = "was asked" if len(run.columns) == 1 else "were asked"
    failing = total.judged - total.passed
    passed = (
        f"{spelled(len(run.columns), 'implementation').capitalize()} of cross-entropy {asked} "
        f"{counted(len(run.properties), 'property', 'properties')} in "
        f"{counted(len(run.dtypes), 'floating-point format')}: {counted(len(run.cells), 'cell')}. "
        f"{total.passed:,} of the {total.judged:,} that were judged passed ({total.score})"
        + (f", {failing:,} did not." if failing else ".")
    )
    failed = _unexpected(run)
    if known := sum(cell.counts and cell.status.name == "known" for cell in run.cells):
        whom = "All of these fail" if known == failing else f"Of these {known:,} fail"
        failed = f"{whom} as recorded beforehand, with a reason. {failed}"
    if lost := sum(cell.status.detailed and not cell.counts for cell in run.cells):
        failed += f" At choice points, which are not judged, {counted(lost, 'cell')} more ended so."
    found = Counter(cell.column.label for cell in run.cells if cell.status.detailed)
    nothing = [c.label for c in run.columns if c.label not in found and score(run.of(c)).judged]
    where = [f"{label} ({counted(n, 'cell')})" for label, n in found.most_common(3)]
    most = ["Nothing was found in " + listed(nothing)] * bool(nothing and found)
    most += ["Most was found in " + listed(where)] * (len(found) > 1)
    words = {
        "unsupported": "unsupported",
        "inapplicable": "not a question in their dtype or on their device",
        "not-run": "not run",
        "recorded": "behaviours recorded without a verdict",
    }
    left = [f"{n:,} {word}" for name, word in words.items() if (n := counts.get(STATUSES[name], 0))]
    where_found = [". ".join(most) + "."] if most else []
    return [passed, failed, *where_found, *([f"Not judged: {listed(left)}."] if left else [])]


def about(run: Run, column: Column) -> list[str]:
    """The verdict on one implementation, in paragraphs."""
    cells = run.of(column)
    own, counts = score(cells), tally(cells)
    judged = (
        f"{own.passed:,} of the {own.judged:,} cells that were judged passed ({own.score}); "
        f"{own.judged:,} of the {own.applicable:,} that must or should hold could be judged "
        f"({own.coverage})."
    )
    failing = worst_first(run, column)
    if not failing:
        return [judged, "Nothing was found." if own.judged else "Nothing was judged."]
    ways = [f"{n:,} {status.name}" for status, n in counts.items() if status.detailed]
    slugs = list(dict.fromkeys(cell.slug for cell in failing))
    where = counted(len(slugs), "property", "properties")
    cells_said = spelled(len(failing), "cell", "cells").capitalize()
    return [judged, f"{cells_said} did not pass, in {where}: {listed(ways, most=len(STATUSES))}."]


def _unexpected(run: Run) -> str:
    unexpected = [cell for cell in run.cells if cell.unexpected]
    if not unexpected:
        return "No failure is unexpected."
    ways = Counter(cell.status.name for cell in unexpected).most_common()
    kinds = listed((f"{n} {name}" for name, n in ways), most=len(STATUSES))
    columns = Counter(cell.column.label for cell in unexpected).most_common()
    where = listed((label for label, _ in columns), most=8)
    return f"{spelled(len(unexpected), 'is', 'are').capitalize()} unexpected: {kinds}, in {where}."


def finding_in_words(cell: Cell) -> str:
    """Where a finding is and how far off, without its message."""
    worst = cell.record["worst"]
    far = f", {share(worst['ratio'])}" if worst and float(worst["ratio"]) > 1 else ""
    return f"in {cell.dtype}{far}"


def by_family(run: Run, column: Column, family: str) -> list[Cell]:
    slugs = [entry["slug"] for entry in run.families[family]]
    found = (run.cell(column, slug, dtype) for slug in slugs for dtype in run.dtypes)
    return [cell for cell in found if cell]


def summary(cells: Iterable[Cell]) -> tuple[Status, int] | None:
    """The worst status among some cells, and how many share it; None where there is no cell."""
    counts = Counter(cell.status for cell in cells)
    worst = min(counts, key=WORST_FIRST.index, default=None)
    return None if worst is None else (worst, counts[worst])
