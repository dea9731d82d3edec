"""Every fault of the catalogue hangs in the museum, or there is a reason why it cannot."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from codes import FAULTS
from exempt import EXEMPT
from exhibits import EXHIBITS
from faithful import Faithful

SHOWN = Counter(code for exhibit in EXHIBITS for code in exhibit.entries)
"""How many exhibits stand for each code."""


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_shown_or_exempt(code: str) -> None:
    shown, exempt = SHOWN[code], EXEMPT.get(code, "")
    assert bool(shown) != bool(exempt), f"{FAULTS[code]}: {shown} exhibits; {exempt or 'required'}"


def test_no_exhibit_and_no_exemption_names_an_unknown_fault() -> None:
    assert set(SHOWN) | set(EXEMPT) <= set(FAULTS)


def test_the_catalogue_is_complete() -> None:
    reported = [code for code in FAULTS if not code.startswith("SYN")]
    assert (len(reported), len(FAULTS)) == (207, 227)
    assert all(re.fullmatch(r"[A-Z]{3,4}-\d\d", code) for code in FAULTS)


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.__name__)
def test_an_exhibit_with_a_report_says_which_fault_it_stands_for(exhibit: type[Faithful]) -> None:
    assert exhibit.entries or not exhibit.link


def test_exhibits_have_different_names() -> None:
    names = Counter(exhibit.__name__ for exhibit in EXHIBITS)
    assert not [name for name, count in names.items() if count > 1]
