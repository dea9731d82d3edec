"""The reasons of known failures: a reader counts what has one reason together."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

from conformance.contract.discovery import built_in_folder
from conformance.report.prose import read_prose, render

FOLDER = built_in_folder()
assert FOLDER is not None
REASONS = sorted(
    {
        entry["reason"]
        for path in FOLDER.glob("*.known.json")
        for entry in json.loads(path.read_text("utf-8"))["expectations"]
    }
)


FINDINGS = Path(__file__).parents[2] / "docs" / "findings.md"


def test_headings_that_reasons_name_are_there() -> None:
    named = {h for reason in REASONS for h in re.findall(r"docs/findings\.md#([\w-]*\w)", reason)}
    assert named
    assert named <= set(re.findall(r'<h[2-6] id="([^"]*)"', render(read_prose(FINDINGS), "")))


def test_reasons_fit_where_they_are_shown_and_numbers_are_plain() -> None:
    assert max(map(len, REASONS)) <= 300
    assert not [p.name for p in FOLDER.glob("*.known.json") if "np.float" in p.read_text("utf-8")]


def test_one_reason_has_one_wording() -> None:
    alike = [
        (one, other)
        for one, other in combinations(REASONS, 2)
        if SequenceMatcher(None, one, other).ratio() > 0.87
        and re.findall(r"\d+", one) == re.findall(r"\d+", other)
    ]
    assert not alike


def test_no_failure_is_known_that_the_implementation_is_not_to_blame_for() -> None:
    assert not [reason for reason in REASONS if "to blame" in reason or "adapter's" in reason]
