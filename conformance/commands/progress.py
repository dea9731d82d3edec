"""How a run is watched by a person: bars on a terminal, lines in a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from conformance.records.results import VERDICT_LEVELS, Cell, is_unexpected
from conformance.records.visible import visible
from conformance.running.runner import Listener


@contextmanager
def watched(console: Console, implementations: int) -> Iterator[Listener]:
    """A listener for ``runner.run`` that shows on the console how far it is."""
    if not console.is_terminal:
        yield _Lines(console, implementations)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[red]{task.fields[failures]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress, implementations)


class _Bars:
    """A bar for each implementation, and one for all where there are several."""

    def __init__(self, progress: Progress, implementations: int) -> None:
        self.progress = progress
        self.bars: dict[str, TaskID] = {}
        self.failures: dict[str, int] = {}
        self.all = None
        if implementations > 1:
            self.all = progress.add_task("implementations", total=implementations, failures="")

    def begins(self, implementation: str, cells: int) -> None:
        bar = self.progress.add_task(escape(implementation), total=cells, failures="")
        self.bars[implementation], self.failures[implementation] = bar, 0

    def judged(self, cell: Cell) -> None:
        name = cell["implementation"]
        self.failures[name] += is_unexpected(cell)
        failures = f"{self.failures[name]} unexpected" if self.failures[name] else ""
        self.progress.update(self.bars[name], advance=1, failures=failures)

    def ends(self, implementation: str, problem: str | None) -> None:
        if problem:
            said = visible(f"{implementation}: {problem}")
            self.progress.console.print(said, style="red", markup=False)
        if self.all is not None:
            self.progress.update(self.all, advance=1)
            self.progress.update(self.bars[implementation], visible=False)


class _Lines:
    """A line where an implementation begins and ends, and one for each unexpected failure."""

    def __init__(self, console: Console, implementations: int) -> None:
        self.console, self.left = console, implementations
        self.cells: dict[str, list[Cell]] = {}

    def begins(self, implementation: str, cells: int) -> None:
        self.cells[implementation] = []
        self._say(f"{implementation}: {cells} cells")

    def judged(self, cell: Cell) -> None:
        self.cells[cell["implementation"]].append(cell)
        if is_unexpected(cell):
            self._say(f"  {cell['outcome']} {cell['id']}")

    def ends(self, implementation: str, problem: str | None) -> None:
        self.left -= 1
        cells = self.cells[implementation]
        verdicts = [cell for cell in cells if cell["level"] in VERDICT_LEVELS]
        passed = sum(c["outcome"] == "pass" and c["expectation"] is None for c in verdicts)
        unexpected = sum(map(is_unexpected, cells))
        judged = f"{passed} of {len(cells)} passed, {unexpected} unexpected"
        outcome = problem or (judged if cells else "nothing to ask")
        self._say(f"{implementation}: {outcome}" + (f" ({self.left} to go)" if self.left else ""))

    def _say(self, line: str) -> None:
        self.console.print(visible(line), markup=False, highlight=False, soft_wrap=True)
