"""Every kind of page in a real browser: accessible, silent, no wider than its window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import OPEN, Visit, launched, needed, violations, width
from sites import poisoned, published

pytestmark = needed

KINDS = ["site", "history", "index", "implementation", "faultless", "lesson", "diff", "findings"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def pages(folder: Path) -> dict[str, str]:
    found = published(folder)
    assert list(found) == KINDS
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_violation(
    browser: Any, folder: Path, pages: dict[str, str], kind: str, scheme: str
) -> None:
    with Visit(browser, folder, color_scheme=scheme) as visit:
        page = visit.go(pages[kind])
        page.evaluate(OPEN)
        assert violations(page) == []
        if scheme == "light":
            page.set_viewport_size({"width": 400, "height": 700})
            assert violations(page) == []
        assert visit.said == []


def test_axe_finds_none_in_the_stub_that_leads_to_the_latest_run(
    browser: Any, folder: Path, pages: dict[str, str]
) -> None:
    stub = (folder / "site/latest/index.html").read_text("utf-8")
    start, end = stub.index("<script>"), stub.index("</noscript>")  # what leads away at once
    with Visit(browser, folder) as visit:
        visit.page.set_content(stub[:start] + stub[end + len("</noscript>") :])
        assert violations(visit.page) == []


@pytest.mark.parametrize("script", [True, False])
def test_latest_leads_to_the_latest_run(
    browser: Any, folder: Path, pages: dict[str, str], script: bool
) -> None:
    with Visit(browser, folder, java_script_enabled=script) as visit:
        page = visit.go("site/latest/implementations/numpy-naive.html")
        page.wait_for_url((folder / pages["implementation"]).as_uri())


@pytest.mark.parametrize("kind", KINDS)
def test_the_button_for_colours_says_the_same_everywhere(
    browser: Any, folder: Path, pages: dict[str, str], kind: str
) -> None:
    with Visit(browser, folder) as visit:
        button = visit.go(pages[kind]).locator("#theme")
        assert button.inner_text() == "Colours: system"
        button.click()
        assert button.inner_text() == "Colours: light"


@pytest.mark.parametrize("wide", [420, 700])
def test_the_matrix_scrolls_in_its_box_and_keeps_its_first_column(
    browser: Any, folder: Path, pages: dict[str, str], wide: int
) -> None:
    where = """() => {
        const box = document.querySelector("#matrix > .scroll");
        const at = (element) => element.getBoundingClientRect();
        box.querySelectorAll(".open").forEach((input) => input.click());
        box.scrollLeft = 150;
        const row = box.querySelector(".property");
        const [first, second] = [row.children[0], row.children[1]].map(at);
        return { box: at(box).left, first: first.left, over: second.left < first.right,
                 scrolled: box.scrollLeft, share: first.width / at(box).width };
    }"""
    with Visit(browser, folder, viewport={"width": wide, "height": 800}) as visit:
        page = visit.go(pages["index"])
        found = page.evaluate(where)
        assert width(page) <= wide
        assert found["scrolled"] == 150
        assert found["over"]
        assert abs(found["first"] - found["box"]) < 1
        assert found["share"] < 0.5


@pytest.mark.parametrize("wide", [1280, 400])
@pytest.mark.parametrize("kind", KINDS)
def test_no_page_scrolls_sideways(
    browser: Any, folder: Path, pages: dict[str, str], kind: str, wide: int
) -> None:
    with Visit(browser, folder, viewport={"width": wide, "height": 800}) as visit:
        page = visit.go(pages[kind])
        assert width(page) <= wide
        page.evaluate(OPEN)
        assert width(page) <= wide


FOCUS = """() => {
    const e = document.activeElement;
    const seen = e.type === "checkbox" ? e.closest("label") : e;
    const at = getComputedStyle(seen);
    const outlined = at.outlineStyle !== "none" || e === document.body;
    return [e.tagName, e.getAttribute("href") || "", outlined];
}"""


@pytest.mark.parametrize("kind", ["site", "history", "lesson", "diff", "implementation"])
def test_every_link_and_control_is_reached_by_tab(
    browser: Any, folder: Path, pages: dict[str, str], kind: str
) -> None:
    with Visit(browser, folder) as visit:
        page = visit.go(pages[kind])
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        reached = []
        for _ in range(700):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(FOCUS))
            if reached[-1][0] == "BODY":
                break
        assert reached[-1][0] == "BODY", "the focus never came to the end of the page"
        assert all(outlined for _, _, outlined in reached)
        shown = page.locator("a:visible:not(.skip)").evaluate_all(
            "all => all.map(e => e.getAttribute('href'))"
        )
        assert set(shown) <= {href for _, href, _ in reached}
        controls = page.locator("button:visible, summary:visible").count()
        assert sum(tag in ("BUTTON", "SUMMARY") for tag, _, _ in reached) == controls > 0


# -- hostile records ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("poisoned")
    return folder, poisoned(folder)


@pytest.mark.parametrize("wide", [1280, 400])
def test_hostile_records_do_nothing_and_break_no_layout(
    browser: Any, bad: tuple[Path, dict[str, str]], wide: int
) -> None:
    folder, names = bad
    with Visit(browser, folder, viewport={"width": wide, "height": 800}) as visit:
        for kind, name in names.items():
            page = visit.go(name)
            assert page.locator("script").count() == 1, kind
            assert page.locator("img").count() == 0, kind
            page.evaluate(OPEN)
            assert width(page) <= wide, kind
            if wide == 400 and kind not in ("implementation 1", "implementation 2"):
                assert violations(page) == [], kind
        assert visit.said == []
