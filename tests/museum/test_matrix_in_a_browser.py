"""The page of the kill matrix, in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kills import write
from test_matrix import FOUND

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium on the path"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(tmp_path: Path, scheme: str) -> None:
    write(FOUND.document, tmp_path)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme)
        page.goto((tmp_path / "kill-matrix.html").as_uri())
        levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
        found = axe.Axe().run(page, options={"runOnly": levels}).response
        browser.close()
    assert found["passes"]
    assert [v["nodes"][0]["html"] for v in found["violations"]] == []
