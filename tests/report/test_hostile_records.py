"""Whatever the records hold, the pages are harmless and stay in their folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Page, built_all, dead_links, read
from synthetic import records
from variations import hostile, renamed, two

from conformance.errors import UsageError
from conformance.report import build_report
from conformance.report.site import anchor, file_name
from conformance.report.text import link, number, visible

# -- hostile text ------------------------------------------------------------------------------


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    found = [hostile(r) for r in records()]
    pages = built_all(found, tmp_path)
    assert len(pages) == 14
    for name, page in pages.items():
        assert re.fullmatch(r"[a-z0-9/._~-]+", name)
        assert sum(tag == "script" for tag, _ in page.elements) == 1
        assert not any(tag == "img" for tag, _ in page.elements)
        assert not any(n.startswith("on") for _, a in page.elements for n in a)
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "\u202e" not in text
        assert "\u2028" not in text
        assert "<script>alert(1)</script>" in page.text
        ids = list(page.all("id"))
        assert len(ids) == len(set(ids))
        assert not any(re.search(r"\s|<", found_id) for found_id in ids)
    assert dead_links(pages) == []


NAMES = [
    "../../x",
    "..",
    "CON",
    "con",
    "a/b",
    "a\\b",
    "Loss",
    "loss",
    "LOSS",
    "x" * 5000,
    "é",
    "e\u0301",
]
NAMES += [
    "nul.txt",
    ".hidden",
    "",
    " ",
    "-rf",
    "a\0b",
    "\u202ex",
    "index",
    "<b>",
    "%2e%2e%2f",
    "lpt1",
]


def test_every_name_has_a_file_of_its_own_in_the_folder(tmp_path: Path) -> None:
    files = [file_name(name) for name in NAMES]
    assert len({name.lower() for name in files}) == len(NAMES)
    for name in files:
        assert re.fullmatch(r"[a-z0-9_][a-z0-9._~-]{0,119}\.html", name)
        assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)\.", name)
        assert (tmp_path / name).resolve().parent == tmp_path.resolve()


@given(st.lists(st.text(), unique=True))
def test_different_names_have_different_files(names: list[str]) -> None:
    files = [file_name(name) for name in names]
    assert len({name.lower() for name in files}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_][a-z0-9._~-]*\.html", name) for name in files)


@pytest.mark.parametrize("names", [NAMES[:12], NAMES[11:]], ids=["some", "others"])
def test_pages_stay_in_the_folder_and_are_linked_to(names: list[str], tmp_path: Path) -> None:
    pages = built_all(renamed(names), tmp_path / "deep" / "report")
    assert [p.name for p in tmp_path.rglob("*") if p.is_dir()] == [
        "deep",
        "report",
        "implementations",
    ]
    assert len(pages) == 2 + 12
    assert dead_links(pages) == []


@pytest.mark.parametrize("blocked", ["implementations", "implementations/torch-fused.html"])
def test_a_folder_that_is_in_the_way_is_named(tmp_path: Path, blocked: str) -> None:
    in_the_way = tmp_path / blocked
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.mkdir() if blocked.endswith(".html") else in_the_way.touch()
    with pytest.raises(UsageError, match=blocked):
        build_report(records(), tmp_path)


def test_pages_of_an_earlier_report_are_removed_and_nothing_else(tmp_path: Path) -> None:
    build_report(renamed(["earlier"]), tmp_path)
    mine = tmp_path / "implementations" / "mine.html"
    mine.write_text("<p>not a page of the report</p>")
    assert (tmp_path / "implementations" / "earlier.html").exists()
    build_report(records(), tmp_path)
    assert not (tmp_path / "implementations" / "earlier.html").exists()
    assert mine.exists()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "javascript://x.org/%0aalert(1)",
        "data:text/html,x",
        "//x.org",
        "https:",
        "HTTP//x",
        "file:///x",
        "",
        "x",
    ],
)
def test_only_http_addresses_become_links(address: str) -> None:
    assert "<a" not in link(address)


def test_links_to_issues_are_short() -> None:
    assert "<bdi>onnx/onnx#8423</bdi>" in link("https://github.com/onnx/onnx/pull/8423")
    assert 'rel="noopener noreferrer"' in link("https://example.org")


@given(st.text())
def test_no_address_leaves_its_attribute(text: str) -> None:
    for address in (text, "https://example.org/" + text):
        parsed = Page(str(link(address)))
        assert [tag for tag, _ in parsed.elements] in (["bdi"], ["a", "bdi"])


@given(st.text())
def test_what_is_shown_can_be_seen_and_encoded(text: str) -> None:
    visible(text).encode()
    assert not set(visible(text)) & set("\x00\x1b\u200b\u202e\u2066\u2028\ufeff")


@given(st.lists(st.tuples(st.text(), st.text()), unique=True))
def test_different_things_have_different_ids(names: list[tuple[str, str]]) -> None:
    ids = [anchor(*pair) for pair in names]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9._/~-]+", found) for found in ids)


def test_long_messages_are_bounded(tmp_path: Path) -> None:
    long = "x" * 100_000
    few = two("pppp", "pfpp")
    few[1] |= {"outcome": "fail", "message": long, "reason": long, "label": long}
    build_report(few, tmp_path)
    assert all(len(text) < 120_000 for text in read(tmp_path).values())


@pytest.mark.parametrize(
    ("value", "text"),
    [("inf", "∞"), ("nan", "nan"), (0.314159, "0.31"), (1437.2, "1,437"), (3.2e-5, "3.2×10⁻⁵")],
)
def test_numbers_are_short(value: object, text: str) -> None:
    assert number(value) == text
