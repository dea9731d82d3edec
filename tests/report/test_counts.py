"""What is counted, and that it adds up wherever it is said."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pages import Page
from synthetic import records
from variations import changed

from conformance.report.run import arrange
from conformance.report.status import status_of
from conformance.report.verdict import about, score, story


def as_if(slug: str, **fields: Any) -> list[dict[str, Any]]:
    """The records, with other fields in every cell of a property."""
    return [r | fields if r.get("property") == slug else r for r in records()]


def test_what_is_asked_of_nobody_is_no_part_of_coverage() -> None:
    run = arrange(records())
    slug = next(s for s, p in run.properties.items() if p["level"] == "must")
    blank = {"examples": {"corpus": 0, "searched": 0, "floor": 0}, "witness": None, "corpus": ""}
    unsupported = as_if(slug, outcome="unsupported", expectation=None, reason="not said", **blank)
    nobody = as_if(slug, outcome="inapplicable", expectation=None, reason="not a question", **blank)
    cells = sum(r.get("property") == slug for r in records())
    one, other = score(arrange(unsupported).cells), score(arrange(nobody).cells)
    assert (one.passed, one.judged) == (other.passed, other.judged)
    assert one.applicable - other.applicable == cells


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("not a question in float32", "inapplicable"),
        ("a question to accelerators alone: it takes more than 2^31 logits", "inapplicable"),
        ("weight is not offered", "unsupported"),
    ],
)
def test_older_records_say_it_by_their_reason(reason: str, status: str) -> None:
    cell = {"outcome": "unsupported", "expectation": None, "level": "must", "reason": reason}
    assert status_of(cell).name == status


@pytest.mark.parametrize("expectation", [None, "known"])
def test_a_choice_point_is_recorded_whatever_the_answer(expectation: str | None) -> None:
    cell = {"outcome": "fail", "expectation": expectation, "level": "behaviour", "reason": "so"}
    assert status_of(cell).name == "recorded"


@pytest.mark.parametrize("found", [records(), changed(outcome="fail", expectation="known")])
def test_what_passed_and_what_did_not_is_all_that_was_judged(found: list[dict[str, Any]]) -> None:
    run = arrange(found)
    total = score(run.cells)
    failing = [cell for cell in run.cells if cell.status.detailed]
    assert total.passed + sum(cell.counts for cell in failing) == total.judged
    for column in run.columns:
        own = [cell for cell in run.of(column) if cell.status.detailed]
        assert score(run.of(column)).passed + len(own) == score(run.of(column)).judged


def test_the_first_screen_and_the_board_and_the_page_count_alike(page: Page) -> None:
    run = arrange(records())
    told = " ".join(story(run))
    total = score(run.cells)
    assert f"{total.passed:,} of the {total.judged:,}" in told
    assert f"{total.judged - total.passed:,} did not" in told
    for column in run.columns:
        own = [cell for cell in run.of(column) if cell.status.detailed]
        if len(own) > 1:
            assert f"{len(own)} findings in all" in page.text
            assert re.search(
                rf"(?i)\b({len(own)}|[a-z]+) cells? did not pass", about(run, column)[1]
            )
