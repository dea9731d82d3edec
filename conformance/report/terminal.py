"""The difference between two runs on a terminal.  Foreign text is never taken for markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.records.diff import Diff
from conformance.report import changes
from conformance.report.text import counted, listed, number, visible

LONGEST = 40
"""Rows of a table; the page has them all."""

_STYLES = {"Broken": "bold red", "No longer known": "bold red", "Fixed": "bold green"}


def print_diff(diff: Diff, console: Console) -> None:
    """What changed, the worst first, and the verdict last."""
    console.print(_runs(diff))
    for caveat in diff.caveats:
        _line(console, caveat, "yellow")
    if diff.settings:
        _heading(console, "What differs between the runs")
        found = [(s.name, f"{s.before} → {s.after}") for s in diff.settings]
        _table(console, (), found)
    for title, meaning, count, rows in changes.sections(diff):
        _heading(console, f"{title} ({count:,})", meaning, _STYLES.get(title, "bold"))
        _table(console, (), [_cells(row) for row in rows])
    _accuracy(diff, console)
    console.print()
    _line(console, changes.verdict(diff), "bold red" if diff.broke else "bold green")


def _runs(diff: Diff) -> Text:
    before, after = (
        f"{h['started'][:16].replace('T', ' ')}, {h['profile']}, "
        + counted(len(h["implementations"]), "implementation")
        for h in (diff.before, diff.after)
    )
    return Text(visible(f"{before}  →  {after}"), "dim")


def _cells(row: changes.Row) -> tuple[str, ...]:
    level = f" ({row.level})" if row.level else ""
    where = f"{', '.join(row.dtypes)} on {row.device}"
    return row.implementation, row.what + level, where, f"{row.was} → {row.now}", row.says


def _accuracy(diff: Diff, console: Console) -> None:
    if not (diff.accuracy or diff.same_accuracy or diff.incomparable):
        return
    _heading(console, f"Accuracy ({len(diff.accuracy):,} moved)", "the largest error of each")
    headings = ("implementation", "", "share of the bound", "ulp", "")
    rows = [
        (
            a.implementation,
            f"{a.side} in {a.dtype} on {a.device}",
            f"{number(a.before.ratio)} → {number(a.after.ratio)}",
            f"{number(a.before.ulp)} → {number(a.after.ulp)}",
            changes.accuracy_in_words(a),
        )
        for a in diff.accuracy
    ]
    if rows:
        _table(console, headings, rows)
        _line(console, "  Over the same cases: each difference is one of arithmetic.", "dim")
    if diff.same_accuracy:
        _line(console, f"  {diff.same_accuracy:,} are the same to the bit.", "dim")
    if diff.incomparable:
        which = listed(diff.incomparable, most=4)
        _line(console, f"  Not comparable, since other cases were asked or passed: {which}.", "dim")


def _heading(console: Console, title: str, meaning: str = "", style: str = "bold") -> None:
    console.print()
    console.print(Text.assemble((title, style), (f": {meaning}" if meaning else "", "dim")))


def _line(console: Console, text: str, style: str) -> None:
    console.print(Text(visible(text), style), soft_wrap=True)


def _table(console: Console, headings: tuple[str, ...], found: Iterable[tuple[str, ...]]) -> None:
    """A line a row: where it is narrow, the last column is cut."""
    rows = list(found)
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=bool(headings))
    last = len(rows[0]) - 1
    for n in range(last + 1):
        heading = headings[n] if headings else ""
        table.add_column(heading, style="bold" if n == 0 else "", no_wrap=n < last)
    for row in rows[:LONGEST]:
        cells = (" ".join(visible(cell).split()) for cell in row)
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells))
    console.print(table)
    if len(rows) > LONGEST:
        _line(console, f"  … and {len(rows) - LONGEST:,} more; --html has them all", "dim")
