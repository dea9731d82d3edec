"""The page of the kill matrix, in a real browser."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from kills import write
from test_matrix import FOUND

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from chromium import Visit, launched, needed, violations, width

pytestmark = needed


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(tmp_path: Path, scheme: str) -> None:
    write(FOUND.document, tmp_path)
    with launched() as browser, Visit(browser, tmp_path, color_scheme=scheme) as visit:
        page = visit.go("kill-matrix.html")
        assert violations(page) == []
        page.set_viewport_size({"width": 400, "height": 700})
        assert width(page) <= 400
        assert visit.said == []
