"""The reasons of known failures: a reader counts what has one reason together."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from itertools import combinations

from conformance.contract.discovery import built_in_folder

FOLDER = built_in_folder()
assert FOLDER is not None
REASONS = sorted(
    {
        entry["reason"]
        for path in FOLDER.glob("*.known.json")
        for entry in json.loads(path.read_text("utf-8"))["expectations"]
    }
)


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
