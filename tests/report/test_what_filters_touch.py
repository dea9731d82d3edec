"""What filters show and count, what stays in sight beside them, and the ways to them by key."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from chromium import Visit, launched, needed
from synthetic import records

from conformance.report import build_report
from conformance.report.run import Cell, arrange

pytestmark = needed

INDEX = "index.html"
FAILING = "implementations/numpy-naive.html"
VIEW = "#?status=known&level=must&dtype=float32&framework=torch"
FIRST_MARK = ".property:visible td a:visible"


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    folder = build_report(records(), tmp_path_factory.mktemp("report")).parent
    with launched() as browser, Visit(browser, folder) as visit:
        yield visit


@pytest.fixture
def visit(visits: Visit) -> Iterator[Visit]:
    yield visits
    assert visits.said == []


def viewed() -> list[Cell]:
    """The cells that the view is of."""
    return [
        cell
        for cell in arrange(records()).cells
        if (cell.status.name, cell.level, cell.dtype) == ("known", "must", "float32")
        and cell.framework == "torch"
    ]


def counted(page: Any, where: str) -> int:
    """The sum of the counts that are shown somewhere."""
    said = page.locator(where).all_inner_texts()
    return sum(int(re.match(r"\d+", text)[0]) for text in said if text)


def test_reasons_count_and_name_only_what_fits(visit: Visit) -> None:
    page = visit.go(INDEX)
    whole = page.locator("#causes tbody").inner_html()
    page = visit.go(INDEX, VIEW)
    cells = viewed()
    rows = page.locator("#causes tbody tr:visible")
    assert counted(page, "#causes tr:visible td:first-child small") == len(cells) > 1
    who = {cell.column.label for cell in cells}
    assert {name for row in rows.all() for name in row.locator("td a").all_inner_texts()} == who
    for text in rows.locator("td:last-child small").all_inner_texts():
        assert text.split(";")[0] == "float32"
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("!location.hash")
    assert page.locator("#causes tbody").inner_html().replace(' hidden=""', "") == whole


def test_a_family_counts_what_fits(visit: Visit) -> None:
    page = visit.go(INDEX, VIEW)
    cells = viewed()
    assert counted(page, ".matrix .family:visible td:visible small") == len(cells)
    shown = page.locator(".matrix .property:visible").count()
    assert counted(page, ".matrix .family:visible th small") == shown
    in_families = Counter(arrange(records()).properties[c.slug]["family"] for c in cells)
    assert page.locator(".matrix tbody:visible").count() == len(in_families)
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("!location.hash")
    assert counted(page, ".matrix .family th small") == len(arrange(records()).properties)


def test_an_order_in_the_address_moves_no_mark_to_another_column(visit: Visit) -> None:
    assert visit.go(INDEX, VIEW).locator("#filters output").inner_text()
    said = visit.page.locator("#filters output").inner_text()
    visit.go(INDEX, f"{VIEW}&order=score")
    assert visit.page.locator("#filters output").inner_text() == said


@pytest.mark.parametrize("name", [INDEX, FAILING])
def test_what_matches_nothing_is_said(visit: Visit, name: str) -> None:
    page = visit.go(name)
    assert page.locator(".nothing:visible").count() == 0
    page = visit.go(name, "#?text=no-such-word-anywhere")
    assert page.locator("#filters output").inner_text() == "nothing matches"
    sections = page.locator("#evidence section:has(.nothing)").count()
    assert page.locator(".nothing:visible").count() == sections >= 2
    assert page.locator("#evidence table:visible").count() == 0
    assert page.locator(".unjudged :visible").count() == 0


@pytest.mark.parametrize("name", [INDEX, FAILING])
def test_what_filters_do_not_touch_stands_above_them(visit: Visit, name: str) -> None:
    page = visit.go(name)
    above = "[...document.querySelectorAll('#disagree, #implementations, .whys')]"
    bar = "document.getElementById('filters')"
    after = f"{above}.filter(e => {bar}.compareDocumentPosition(e) & 4).length"
    assert page.evaluate(f"{above}.length") > 0
    assert page.evaluate(after) == 0


def test_names_of_columns_stay_below_the_bar(visit: Visit) -> None:
    page = visit.go(INDEX, "#?open=*")
    bottom = "window.scrollTo(0, document.querySelector('.matrix').closest('.scroll')"
    page.evaluate(f"{bottom}.getBoundingClientRect().top + scrollY + 200)")
    page.wait_for_function(
        """() => {
            const bar = document.getElementById("filters").getBoundingClientRect();
            const head = document.querySelector(".matrix .turned").getBoundingClientRect();
            return bar.top === 0 && Math.abs(head.top - bar.bottom) < 2;
        }"""
    )


def test_each_finding_and_cell_shows_its_address(visit: Visit) -> None:
    page = visit.go(FAILING, "#?status=known")
    finding = page.locator("details.finding:visible").first
    finding.locator("summary").first.click()
    finding.locator(".formula .permalink").click()
    name = finding.get_attribute("id")
    ends = "end => decodeURIComponent(location.hash).endsWith(end)"
    page.wait_for_function(ends, arg=f"at={name}")
    assert page.evaluate("location.hash").startswith("#?status=known&at=")
    assert finding.get_attribute("open") is not None
    cell = finding.locator(".cell").first
    assert cell.locator(".permalink").get_attribute("href") == "#" + cell.get_attribute("id")
    cell.locator(".permalink").click()
    end = "at=" + cell.get_attribute("id")
    page.wait_for_function(ends, arg=end)
    assert page.evaluate("location.hash").startswith("#?status=known")
    ids = page.locator(".evidence tr[id]").count()
    assert page.locator(".evidence tr[id] .permalink").count() == ids > 0


@pytest.mark.parametrize(("presses", "reached"), [(2, "#filters"), (3, "#matrix")])
def test_filters_and_matrix_are_two_keys_away(visit: Visit, presses: int, reached: str) -> None:
    page = visit.go(INDEX)
    for _ in range(presses):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("where => location.hash === where", arg=reached)
    page.keyboard.press("Tab")
    assert page.evaluate(f"!!document.activeElement.closest('{reached}')")


def test_the_keys_of_the_matrix_are_told(visit: Visit) -> None:
    page = visit.go(INDEX)
    assert "arrow keys" in page.locator("#matrix #keys:visible").inner_text()
    group = page.locator("#matrix > .scroll")
    assert group.get_attribute("aria-describedby") == "keys"
