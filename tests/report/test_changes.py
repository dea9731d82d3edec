"""The difference between two runs, as a person reads it: in the terminal and as a page."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from pages import Page
from rich.console import Console
from synthetic import records
from variations import HOSTILE

from conformance.records.diff import Diff, diff
from conformance.records.results import Results
from conformance.report.changes import render, verdict
from conformance.report.terminal import LONGEST, print_diff

Cells = list[dict[str, Any]]


def results() -> Results:
    found: list[Any] = list(records())
    cells = tuple(r for r in found if r["kind"] == "cell")
    return Results(copy.deepcopy(found[0]), copy.deepcopy(cells), (), found[-1])


@pytest.fixture(scope="module")
def changed() -> Diff:
    before, after = results(), results()
    passing = [c for c in after.cells if c["outcome"] == "pass" and c["level"] == "must"]
    for cell in passing[:3]:
        cell.update(outcome="fail", message=f"[bold]{HOSTILE}[/bold]" + "x" * 10**5)
    known = next(c for c in after.cells if c["expectation"] == "known")
    known.update(outcome="pass", expectation=None)
    measured = next(c for c in after.cells if c["accuracy"])["accuracy"]
    measured["typical"]["max_ratio"] = 77.0
    after.header["packages"]["torch"] = f"{HOSTILE}"
    return diff(before, after)


def printed(found: Diff, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_diff(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_terminal_tells_the_worst_first_and_the_verdict_last(changed: Diff) -> None:
    lines = printed(changed).splitlines()
    headings = [line.split(" (")[0] for line in lines if ":" in line and "(" in line]
    assert headings.index("Broken") < headings.index("Fixed") < headings.index("Accuracy")
    assert lines[-1].startswith("3 cells broke: 1 fixed and ")


def test_foreign_text_is_neither_markup_nor_a_command(changed: Diff) -> None:
    text = printed(changed)
    assert "[bold]<script>" in text
    assert "\u202e" not in text
    assert "\\u202e" in text
    assert max(map(len, text.splitlines())) <= 200


def test_a_narrow_terminal_gets_a_line_a_row(changed: Diff) -> None:
    broken = [line for line in printed(changed, width=100).splitlines() if "pass → fail" in line]
    assert 1 <= len(broken) <= 3


def test_many_rows_are_cut_and_counted() -> None:
    before, after = results(), results()
    for cell in after.cells:
        if cell["outcome"] == "pass":
            cell.update(outcome="crash", expectation=None)
    text = printed(diff(before, after))
    assert "more; --html has them all" in text
    assert text.count("pass → crash") <= LONGEST


def test_the_page_is_whole_and_harmless(changed: Diff) -> None:
    page = Page(render(changed))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1
    assert tags.count("h1") == 1
    assert "img" not in tags
    assert not [value for name in ("src", "href") for value in page.all(name) if "//" in value]
    assert "3 cells broke." in page.words
    ids = list(page.all("id"))
    assert len(ids) == len(set(ids))


def test_the_page_leads_back_where_there_is_something() -> None:
    found = diff(results(), results())
    there = Page(render(found, report="index.html", site="../../index.html"))
    assert {"index.html", "../../index.html"} <= set(there.all("href"))
    assert not [href for href in Page(render(found)).all("href") if "index.html" in href]


def test_the_page_of_no_difference_says_so() -> None:
    found = diff(results(), results())
    words = " ".join(Page(render(found)).words)
    assert verdict(found) == f"Nothing broke: {len(results().cells):,} unchanged."
    assert "Nothing broke." in words
    assert "are the same to the bit" in words
