"""By keyboard alone, and mirrored in the address: reload and Back give the same view again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Visit, launched, needed
from synthetic import records

from conformance.report import build_report

pytestmark = needed

INDEX = "index.html"
FAILING = "implementations/numpy-naive.html"
HASH = "location.hash"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_report(records(), tmp_path_factory.mktemp("report")).parent


@pytest.fixture(scope="module")
def visits(report: Path) -> Iterator[Visit]:
    with launched() as browser, Visit(browser, report) as visit:
        yield visit


@pytest.fixture
def visit(visits: Visit) -> Iterator[Visit]:
    yield visits
    assert visits.said == []


def press(page: Any, where: str, *keys: str) -> None:
    page.locator(where).first.focus()
    for key in keys:
        page.keyboard.press(key)


def shown(page: Any) -> tuple[str, int, list[str]]:
    """What the filters count, and what of the matrix can be seen, in which order."""
    heads = page.locator(".matrix thead .turned:visible").all_inner_texts()
    rows = page.locator(".matrix .property:visible").count()
    return page.locator("#filters output").inner_text(), rows, heads


def test_filters_and_order_set_by_keys_survive_reload_and_back(visit: Visit) -> None:
    page = visit.go(INDEX)
    everything = shown(page)
    press(page, "[name=status][value=known]", "Space")
    press(page, "[name=framework]", "t", "o")
    press(page, "[name=order]", "ArrowDown")
    press(page, "[name=text]", *"loss")
    address = "#?order=name&status=known&framework=torch&text=loss"
    assert page.evaluate(HASH) == address
    view = shown(page)
    assert view != everything
    page.reload()
    assert (page.evaluate(HASH), shown(page)) == (address, view)
    press(page, ".property td a:visible", "Enter")
    page.wait_for_url("**/implementations/**")
    page.go_back()
    page.wait_for_url(f"**/{INDEX}#**")
    assert (page.evaluate(HASH), shown(page)) == (address, view)
    press(page, "#filters [type=reset]", "Enter")
    page.wait_for_function("!location.hash")
    assert shown(page) == everything


def test_a_link_within_the_page_keeps_the_filters(visit: Visit) -> None:
    page = visit.go(INDEX, "#?status=fail")
    view = shown(page)
    press(page, "nav a[href='#behaviour']", "Enter")
    page.wait_for_function("location.hash === '#?status=fail&at=behaviour'")
    page.reload()
    assert shown(page) == view
    assert page.locator("#behaviour").bounding_box()["y"] < 900
    page.go_back()
    page.wait_for_function("location.hash === '#?status=fail'")
    assert shown(page) == view


@pytest.mark.parametrize(
    ("where", "address"), [(".open", "#?open=definition"), (".all", "#?open=*")]
)
def test_what_is_open_in_the_matrix_survives_reload(visit: Visit, where: str, address: str) -> None:
    page = visit.go(INDEX)
    press(page, f".matrix {where}", "Space")
    rows = page.locator(".matrix .property:visible").count()
    assert rows > 0
    assert page.evaluate("decodeURIComponent(location.hash)") == address
    page.reload()
    assert page.locator(".matrix .property:visible").count() == rows
    press(page, f".matrix {where}", "Space")
    assert page.evaluate(HASH) == ""


def test_an_open_finding_survives_reload_and_its_filters_too(visit: Visit) -> None:
    page = visit.go(FAILING, "#?status=known")
    press(page, "details.finding:visible summary", "Enter")
    page.wait_for_function("location.hash.includes('at=')")
    name = page.locator("details.finding[open]").get_attribute("id")
    page.reload()
    assert page.locator("details.finding[open]").get_attribute("id") == name
    assert page.evaluate(HASH).startswith("#?status=known&at=cpu")
    press(page, "details.finding[open] summary", "Enter")
    page.wait_for_function("location.hash === '#?status=known'")
    press(page, "#filters [type=reset]", "Enter")
    press(page, "details.finding summary", "Enter")
    page.wait_for_function("location.hash.startsWith('#cpu/')")


def test_scripts_are_copied_by_key(visit: Visit) -> None:
    page = visit.go(FAILING, "#cpu/float32/loss-formula")
    press(page, ".finding[open] .script summary", "Enter", "Tab")
    assert page.evaluate("document.activeElement.className") == "copy"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent === 'Copied'")


def test_colours_are_chosen_by_key_and_kept(visit: Visit) -> None:
    page = visit.go(INDEX)
    press(page, "#theme", "Enter", "Space")
    assert page.locator("#theme").inner_text() == "Colours: dark"
    page.reload()
    assert page.locator("#theme").inner_text() == "Colours: dark"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    press(page, "#theme", "Enter")
