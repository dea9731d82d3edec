"""What a run amounts to: an exit code for machines, a page of text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.records.results import (
    JUDGED,
    UNOFFERED,
    VERDICT_LEVELS,
    Cell,
    Results,
    is_unexpected,
)
from conformance.records.visible import visible
from conformance.records.words import in_words

MESSAGE_LINES = 6
"""Of a message, so that the summary stays one; the report has it whole."""


def exit_code(results: Results, levels: Sequence[str] = VERDICT_LEVELS) -> int:
    """0: no unexpected failure.  1: some, or a stale expectation.  3: a ``must`` property could not
    run, or an implementation could not be asked anything, or nothing was judged at all.

    A failure that was found stays one, whatever else could not be asked: 1 goes before 3.  A shard
    need not have a cell of every implementation that could be judged: only the whole must.
    """
    if any(is_unexpected(cell, levels) for cell in results.cells):
        return 1
    unasked = any(c["outcome"] == "not-run" and c["level"] == "must" for c in results.cells)
    nothing = not any(c["outcome"] in JUDGED for c in results.cells) or _unasked(results, "not-run")
    lacking = nothing and not results.header.get("shard")
    return 3 if unasked or lacking or not results.complete else 0


def print_summary(
    results: Results,
    console: Console,
    path: Path,
    levels: Sequence[str] = VERDICT_LEVELS,
    adapters: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """A table of the implementations, then each unexpected failure and how to see it again.

    ``adapters`` says where implementations are that cannot be found by their names.
    """
    console.print(_table(results, levels))
    statements = {entry["slug"]: entry["statement"] for entry in results.header["properties"]}
    unexpected = [cell for cell in results.cells if is_unexpected(cell, levels)]
    for cells in _together(unexpected):
        console.print()
        hint = f"conformance replay {path} --cell {cells[0]['id']}"
        adapter = adapters.get(cells[0]["implementation"])
        hint += f" --adapter {adapter}" if adapter else ""
        console.print(_finding(cells, statements[cells[0]["property"]], hint), soft_wrap=True)
    for reason, names in _unasked(results, "not-run", *UNOFFERED).items():
        console.print()
        said = visible(f"{', '.join(names)}: not asked: {reason}")
        console.print(Text(said, "yellow"), soft_wrap=True)
    console.print()
    console.print(Text(verdict(results, levels), "bold"), soft_wrap=True)


def verdict(results: Results, levels: Sequence[str] = VERDICT_LEVELS) -> str:
    """The run in one sentence."""
    unexpected = sum(is_unexpected(cell, levels) for cell in results.cells)
    judged = [c for c in results.cells if c["level"] in levels and c["outcome"] in JUDGED]
    code = exit_code(results, levels)
    if unexpected:
        many = "failure" if unexpected == 1 else "failures"
        return f"{unexpected} unexpected {many} in {len(judged)} judged cells."
    if not judged:
        shard = results.header.get("shard")
        return f"Nothing was judged{f' in shard {shard}' if shard else ''}."
    end = "" if code == 0 else "; but not everything could be asked"
    return f"No unexpected failure in {len(judged)} judged cells{end}."


def _table(results: Results, levels: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("implementation", no_wrap=True)
    for heading in ("passed", "known", "unexpected", "recorded", *UNOFFERED, "not run"):
        table.add_column(heading, justify="right")
    for entry in results.header["implementations"]:
        cells = [c for c in results.cells if c["implementation"] == entry["name"]]
        judged = [c for c in cells if c["level"] in levels and c["outcome"] in JUDGED]
        recorded = [c for c in cells if c["level"] not in levels and c["outcome"] in JUDGED]
        unexpected = sum(is_unexpected(cell, levels) for cell in judged)
        known = sum(cell["expectation"] == "known" for cell in judged)
        counts = (
            (len(judged) - unexpected - known, "green"),
            (known, "cyan"),
            (unexpected, "bold red"),
            (len(recorded), ""),
            *((sum(c["outcome"] == outcome for c in cells), "") for outcome in UNOFFERED),
            (sum(c["outcome"] == "not-run" for c in cells), "yellow"),
        )
        numbers = (Text(str(n), style if n else "dim") for n, style in counts)
        table.add_row(Text(entry["name"]), *numbers)
    return table


def _together(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Failures of one property of one implementation in one way, over all dtypes."""
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        way = cell["witness"]["kind"] if cell["witness"] else cell["outcome"]
        key = (cell["implementation"], cell["property"], cell["outcome"], cell["expectation"], way)
        groups.setdefault(key, []).append(cell)
    return list(groups.values())


def _finding(cells: list[Cell], statement: str, hint: str) -> Text:
    cell = cells[0]
    dtypes = ", ".join(cell["dtype"] for cell in cells)
    outcome = cell["expectation"] or cell["outcome"]
    lines = visible(cell["message"] or "").splitlines()
    if len(lines) > MESSAGE_LINES:
        lines = [*lines[:MESSAGE_LINES], "..."]
    text = Text()
    text.append(outcome.upper(), "bold red")
    text.append(f" {cell['implementation']} {cell['property']}", "bold")
    text.append(f" ({cell['level']}; {dtypes} on {cell['device']})\n")
    text.append(f"  {visible(statement)}\n", "italic")
    for line in lines:
        text.append(f"  {line}\n")
    if cell["witness"]:
        for line in in_words(cell["witness"]):
            text.append(f"    {line}\n")
        text.append(f"  {hint}", "dim")
    text.rstrip()
    return text


def _unasked(results: Results, *outcomes: str) -> dict[str, list[str]]:
    """Reason -> implementations for what could not be asked at all, with one of the outcomes."""
    asked = {c["implementation"] for c in results.cells if c["outcome"] in JUDGED}
    reasons: dict[str, list[str]] = {}
    for cell in results.cells:
        name, reason = cell["implementation"], cell["reason"]
        if name not in asked and cell["outcome"] in outcomes and reason:
            names = reasons.setdefault(reason, [])
            if name not in names:
                names.append(name)
    return reasons
