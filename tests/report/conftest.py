"""The pages of one report, built once."""

from __future__ import annotations

import pytest
from pages import Page, read
from synthetic import records

from conformance.report import build_report


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("report") / "new"
    assert build_report(records(), folder) == folder / "index.html"
    return read(folder)


@pytest.fixture(scope="session")
def pages(sources: dict[str, str]) -> dict[str, Page]:
    return {name: Page(text) for name, text in sources.items()}


@pytest.fixture(scope="session")
def source(sources: dict[str, str]) -> str:
    return sources["index.html"]


@pytest.fixture(scope="session")
def page(pages: dict[str, Page]) -> Page:
    return pages["index.html"]
