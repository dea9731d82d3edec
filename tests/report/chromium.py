"""A real Chromium for the tests of pages, or the reason why there is none.

The one on the path, else Playwright's own (``playwright install chromium``).  Without it the tests
are skipped, which the machine that is to run them forbids by ``CONFORMANCE_BROWSER=required``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

try:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    MISSING = ""
except ImportError as error:
    MISSING = str(error.name)

NAMES = ("chromium", "chromium-browser", "google-chrome")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

OPEN = """
    for (const details of document.querySelectorAll("details")) details.open = true;
    const all = document.querySelector(".matrix .all");
    if (all && !all.checked) all.click();
"""
"""Opens whatever a page can open."""


def lacking() -> str:
    """Why no page can be looked at; empty where one can."""
    if MISSING:
        return f"{MISSING} is not installed: pip install --group test"
    if any(map(shutil.which, NAMES)):
        return ""
    with sync_playwright() as playwright:
        if Path(playwright.chromium.executable_path).exists():
            return ""
    return f"no Chromium: none of {', '.join(NAMES)} is on the path; playwright install chromium"


REASON = lacking()
if REASON and os.environ.get("CONFORMANCE_BROWSER") == "required":
    raise RuntimeError(f"CONFORMANCE_BROWSER=required, but: {REASON}")

needed = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(REASON), reason=REASON or "there is one"),
]
"""The marks of a module whose tests need it."""


@contextmanager
def launched() -> Iterator[Any]:
    """The browser."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """Pages that are looked at; what they load, and what they say in the console, is kept."""

    def __init__(self, browser: Any, folder: Path, **settings: Any) -> None:
        self.folder, self.loaded, self.said = folder, [], []
        size = {"width": 1200, "height": 900}
        self.context = browser.new_context(
            **{"viewport": size, "reduced_motion": "reduce"} | settings
        )
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.loaded.append(request.url))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Any) -> None:
        self.said.append(f"dialog: {dialog.message}")
        with suppress(Exception):
            dialog.dismiss()

    def go(self, name: str, address: str = "") -> Any:
        """Open a page of the report, afresh."""
        self.page.goto("about:blank")
        self.page.goto((self.folder / name).as_uri() + address)
        return self.page

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def violations(page: Any) -> list[str]:
    """What axe finds on a page, in words."""
    found = Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]}).response
    assert found["passes"]
    return [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]} ({len(v['nodes'])} times)"
        for v in found["violations"]
    ]


def width(page: Any) -> int:
    """How wide a page is: more than the window where it scrolls sideways."""
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found
