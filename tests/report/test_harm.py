"""The worst finding is what harms most, and every page says the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pages import Page
from synthetic import records

from conformance.report.guidance import choices
from conformance.report.harm import severity, worst_finding, worst_first
from conformance.report.run import Cell, Run, arrange


@pytest.fixture(scope="module")
def run() -> Run:
    return arrange(records())


def finding(run: Run, **fields: Any) -> Cell:
    """A failing cell of the run, with another ending, expected."""
    cell = next(c for c in run.cells if c.record["outcome"] == "fail" and c.level == "must")
    witness = cell.record["witness"] | fields.pop("witness", {})
    record = cell.record | {"expectation": "known", "witness": witness} | fields
    return Cell(record, cell.column, cell.status)


def test_a_silent_wrong_answer_goes_before_a_death_a_refusal_and_an_accepted_mistake(
    run: Run,
) -> None:
    nan = finding(run, witness={"kind": "not-finite", "got": "nan", "expected": "1.0 ± 1e-07"})
    wrong = finding(run, witness={"kind": "wrong", "got": "1.39", "expected": "1.0 ± 1e-07"})
    crash = finding(run, outcome="crash")
    raised = finding(run, witness={"kind": "raised", "got": "ValueError", "expected": None})
    accepted = finding(run, witness={"kind": "accepted"})
    ranked = [accepted, raised, crash, wrong, nan]
    assert sorted(ranked, key=severity) == [nan, wrong, crash, raised, accepted]


def test_a_should_that_is_silently_wrong_goes_before_a_must_that_raises(run: Run) -> None:
    wrong = finding(run, level="should", witness={"kind": "wrong"})
    raised = finding(run, witness={"kind": "raised", "got": "ValueError"})
    assert severity(wrong) < severity(raised)


def test_the_index_and_the_page_have_the_same_worst_finding(
    run: Run, source: str, sources: dict[str, str]
) -> None:
    for column in run.columns:
        worst = worst_finding(run, column)
        page = sources[f"implementations/{column.name}.html"]
        first = re.search(r'<details class="finding" id="cpu/([^"]+)"', page)
        row = re.search(rf'data-name="{column.name}".*?</tr>', source, re.DOTALL)
        if worst:
            assert worst is worst_first(run, column)[0]
            assert first
            assert first[1] == worst.slug
            assert row
            assert f"#{worst.id.partition('/')[2]}" in row[0]


def test_what_runs_under_a_framework_has_a_place_of_its_own(run: Run) -> None:
    library = {column.name: column.library for column in run.columns}
    assert library["keras-sparse"] == "keras"
    assert library["tensorflow-sparse"] == "tensorflow"  # of tensorflow-cpu
    assert {"keras", "tensorflow"} <= set(choices(run))
    assert {"keras", "tensorflow"} <= set(run.frameworks)


def test_who_fails_no_must_is_named_for_each_library(run: Run, page: Page) -> None:
    found = choices(run)
    assert set(found) == {column.library for column in run.columns}
    for library, best in found.items():
        assert len({choice.must == 0 for choice in best}) == 1
        passes = [choice.judged - choice.must - choice.should for choice in best]
        assert passes == sorted(passes, reverse=True)
        others = [c for c in run.columns if c.library == library]
        failing = {
            c: sum(x.level == "must" and x.status.detailed for x in run.of(c)) for c in others
        }
        assert best[0].must == min(failing.values())
        assert f"{library} {best[0].column.label}" in page.text
