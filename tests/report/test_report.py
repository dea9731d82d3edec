"""The report is complete, self-contained, readable as it stands, and harmless."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import records

from conformance.records.replay_script import replay_script
from conformance.records.results import JUDGED
from conformance.report import build_report
from conformance.report.disagreement import disagreements
from conformance.report.run import arrange
from conformance.report.status import STATUSES, WORST_FIRST, status_of
from conformance.report.text import Anchors, link, number, percent, visible
from conformance.report.verdict import headline, score, story

VOID = {"meta", "link", "input", "br", "img", "hr", "col", "wbr"}
HOSTILE = "<script>alert(1)</script>\"'><img/src=x onerror=alert(1)>\u202eevil\u2028\ud800"


class Page(HTMLParser):
    """The elements of a page, checked for balance as they come."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        assert len(attributes) == len(dict(attributes)), (tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.open[-3:], self.getpos())

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    def all(self, name: str) -> Iterator[str]:
        return (value for _, a in self.elements if (value := a.get(name)) is not None)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report") / "new"
    path = build_report(records(), folder)
    assert path == folder / "index.html"
    assert [p.name for p in folder.iterdir()] == ["index.html"]
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def built(found: list[dict[str, Any]], folder: Path) -> str:
    return build_report(found, folder).read_text(encoding="utf-8")


def changed(**fields: Any) -> list[dict[str, Any]]:
    """The records with some fields of every cell replaced."""
    return [r | fields if r["kind"] == "cell" else r for r in records()]


# -- complete ----------------------------------------------------------------------------------


def test_every_implementation_property_and_statement_appears(page: Page) -> None:
    header = records()[0]
    for entry in header["implementations"]:
        assert entry["name"] in page.text
    for entry in header["properties"]:
        assert entry["slug"] in page.text
        assert entry["statement"] in page.text
        assert " ".join(entry["formula"].split()) in page.text


def test_every_cell_that_did_not_pass_is_opened(page: Page) -> None:
    ids = set(page.all("id"))
    opened = [r for r in records() if r["kind"] == "cell" and status_of(r).detailed]
    assert len(opened) > 40
    assert all(f"cell/{cell['id']}" in ids for cell in opened)


def test_both_answers_of_a_flaky_one_are_shown(page: Page) -> None:
    said = " ".join(" ".join(page.words).split())
    assert "got 0.31326166 and again 0.31326169" in said


def test_the_matrix_has_a_mark_for_every_cell(page: Page) -> None:
    titles = [t for t in page.all("title") if re.match(r"(b?float)\d\d: ", t)]
    statuses = Counter(re.split(r"[:,]", title)[1].strip() for title in titles)
    cells = Counter(status_of(r).name for r in records() if r["kind"] == "cell")
    findings = {name: n for name, n in cells.items() if STATUSES[name].detailed}
    assert statuses == cells + Counter(findings)  # once in the matrix, once above the finding


def test_all_outcomes_have_a_glyph_a_word_and_a_meaning_of_their_own(page: Page) -> None:
    outcomes = {*JUDGED, "unsupported", "not-run", "known", "stale", "recorded"}
    assert outcomes == set(STATUSES) == {status.name for status in WORST_FIRST}
    assert len({status.glyph for status in STATUSES.values()}) == len(STATUSES)
    assert all(status.meaning in page.text for status in STATUSES.values())
    assert {s.name for s in STATUSES.values() if s.judged} == {*JUDGED, "known", "stale"}


def test_the_lesson_has_the_worked_example_and_the_curves(page: Page) -> None:
    assert "1.5230" in page.text
    assert "never" not in page.text.split("infinite")[-1][:200]
    drawn = [label for label in page.all("aria-label") if "absolute error" in label]
    assert len(drawn) == 4


def test_without_curves_the_lesson_still_stands(tmp_path: Path) -> None:
    found = [r for r in records() if r["kind"] != "curve"]
    text = Page(built(found, tmp_path)).text
    assert "A worked example" in text
    assert "Where the steps leave" not in text


def test_the_worked_example_says_who_reproduced_it(page: Page) -> None:
    assert "keras-sparse in float16 did not" in page.text


def test_behaviours_stand_side_by_side(page: Page) -> None:
    assert "raises InvalidArgumentError" in page.text
    assert "tensorflow-sparse , keras-sparse" in page.text


# -- the verdict -------------------------------------------------------------------------------


def test_the_headline_counts_what_nobody_expected() -> None:
    run = arrange(records())
    footer = records()[-1]
    assert headline(run).startswith(f"{footer['unexpected']} cells fail unexpectedly")
    assert "304 unsupported" in " ".join(story(run))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"outcome": "pass", "expectation": None}, "Everything that was judged passed."),
        ({"outcome": "fail", "expectation": "known"}, "Nothing unexpected"),
        ({"outcome": "unsupported", "expectation": None}, "Nothing was judged."),
    ],
)
def test_the_headline_says_what_happened(fields: dict[str, Any], says: str) -> None:
    assert headline(arrange(changed(**fields))).startswith(says)


def test_percentages_are_floored_and_full_only_where_all_passed() -> None:
    assert percent(999, 1000) == "99 %"
    assert percent(1000, 1000) == "100 %"
    assert percent(0, 0) == "–"


def test_unsupported_lowers_coverage_and_leaves_the_score_alone() -> None:
    found = [r for r in records() if r["kind"] == "cell"]
    cells = arrange([records()[0], *found]).cells
    fewer = [r | {"outcome": "unsupported"} if r["outcome"] == "fail" else r for r in found]
    before, after = score(cells), score(arrange([records()[0], *fewer]).cells)
    assert (after.passed, after.applicable) == (before.passed, before.applicable)
    assert after.judged < before.judged


def test_known_and_stale_are_judged_and_not_passed() -> None:
    all_known = score(arrange(changed(outcome="fail", expectation="known")).cells)
    all_stale = score(arrange(changed(outcome="pass", expectation="stale")).cells)
    assert all_known.passed == all_stale.passed == 0
    assert all_known.judged == all_stale.judged == all_known.applicable


def test_a_truncated_run_says_so_before_anything_else(tmp_path: Path, page: Page) -> None:
    text = Page(built(records(complete=False), tmp_path)).text
    assert "This run is incomplete." in text
    assert text.index("This run is incomplete.") < text.index("cells fail unexpectedly")
    assert "This run is incomplete." not in page.text


# -- where they disagree -----------------------------------------------------------------------


def two(letters: str, other: str) -> list[dict[str, Any]]:
    """The records of two implementations that were asked one property in one dtype."""
    header = records()[0]
    header["implementations"] = header["implementations"][1:3]
    names = [entry["name"] for entry in header["implementations"]]
    cells = [
        r | {"corpus": letters if r["implementation"] == names[0] else other}
        for r in records()
        if r["kind"] == "cell"
        and r["implementation"] in names
        and r["property"] == "loss-formula"
        and r["dtype"] == "float32"
    ]
    return [header, *cells]


@pytest.mark.parametrize(
    ("letters", "other", "cases"),
    [
        ("pppp", "pfpe", (1, 3)),
        ("pf-p", "pfpp", ()),  # both wrong, or one not asked: no disagreement
        ("ppf-", "fppp", (0, 2)),
        ("pp", "ppf", ()),  # a corpus that was cut short was not asked the rest
        ("", "ffff", ()),
    ],
)
def test_corpus_strings_are_compared_letter_by_letter(
    letters: str, other: str, cases: tuple[int, ...]
) -> None:
    found = disagreements(arrange(two(letters, other)))
    assert (found[0].splits[0].cases if found else ()) == cases


def test_the_smallest_witness_of_those_that_fail_is_shown() -> None:
    for found in disagreements(arrange(records())):
        assert found.smallest is not None
        failing = [cell for split in found.splits for cell in split.against]
        assert found.smallest in failing


# -- self-contained, accessible markup ---------------------------------------------------------


def test_the_page_is_at_most_a_megabyte(source: str) -> None:
    assert len(source.encode()) <= 1_000_000


def test_nothing_is_loaded_from_anywhere(page: Page, source: str) -> None:
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            if name in ("src", "srcset", "action", "data", "poster", "background", "formaction"):
                raise AssertionError((tag, name, value))
            if name in ("href", "xlink:href") and value and not value.startswith("#"):
                assert (tag, value) == ("link", "data:,") or tag == "a", (tag, value)
    assert "@import" not in source
    assert "url(" not in source


def test_a_kill_matrix_is_linked_to_where_there_is_one(tmp_path: Path, source: str) -> None:
    assert "kill-matrix.html" not in source
    (tmp_path / "kill-matrix.html").touch()
    assert 'href="kill-matrix.html"' in built(records(), tmp_path)


def test_ids_are_unique_and_every_inner_link_resolves(page: Page) -> None:
    ids = list(page.all("id"))
    assert len(ids) == len(set(ids))
    targets = {unquote(href[1:]) for href in page.all("href") if href.startswith("#")}
    targets |= set(page.all("data-prelude"))
    assert targets <= set(ids)


def test_every_picture_has_a_text_alternative_and_every_table_a_header(page: Page) -> None:
    pictures = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert pictures
    assert all(a.get("role") == "img" and a.get("aria-label") for a in pictures)
    tables = sum(tag == "table" for tag, _ in page.elements)
    headers = [a for tag, a in page.elements if tag == "th"]
    assert tables
    assert all(a.get("scope") for a in headers)


def test_every_mark_says_its_status_in_words(page: Page) -> None:
    for tag, attributes in page.elements:
        classes = (attributes.get("class") or "").split()
        if classes[:1] == ["mark"] and classes[1:] != ["none"]:
            said = attributes.get("title") or attributes.get("aria-label") or ""
            assert attributes.get("aria-hidden") == "true" or classes[1] in said, (tag, attributes)


# -- replay ------------------------------------------------------------------------------------


def test_both_halves_of_a_replay_script_are_on_the_page(source: str) -> None:
    blocks = [
        re.sub(r"&(?:lt|gt|amp|#34|#39);", lambda m: _PLAIN[m[0]], block)
        for block in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", source, re.DOTALL)
    ]
    adapters = {i["name"]: i["adapter"] for i in records()[0]["implementations"]}
    with_witness = [r for r in records() if r["kind"] == "cell" and r["witness"]]
    for cell in with_witness[:12]:
        script = replay_script(cell["witness"], adapters[cell["implementation"]])
        assert any(script.startswith(b) and script[len(b) + 1 :] in blocks for b in blocks)


_PLAIN = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&#34;": '"', "&#39;": "'"}


# -- hostile text ------------------------------------------------------------------------------


def hostile(value: Any, key: str = "") -> Any:
    """The record with hostile text in every place where text from outside can stand."""
    if isinstance(value, dict):
        kept = ("kind", "case", "accuracy", "outcome", "expectation", "level", "dtype", "corpus")
        return {k: v if k in kept else hostile(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(v, key) for v in value]
    if isinstance(value, str) and key not in ("data", "started", "exact", "fused", "chain"):
        return value + HOSTILE
    return value


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    found = [hostile(r) for r in records()]
    text = built(found, tmp_path)
    page = Page(text)
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert not any(tag == "img" for tag, _ in page.elements)
    assert not any(n.startswith("on") for _, a in page.elements for n in a)
    assert "\u202e" not in text
    assert "\u2028" not in text
    assert "<script>alert(1)</script>" in page.text
    ids = list(page.all("id"))
    assert len(ids) == len(set(ids))
    assert not any(re.search(r"\s|<", found_id) for found_id in ids)


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
    anchors = Anchors()
    ids = [anchors.of(*pair) for pair in names]
    assert len(set(ids)) == len(ids)
    assert ids == [anchors.of(*pair) for pair in names]


def test_long_messages_are_bounded(tmp_path: Path) -> None:
    long = "x" * 20_000
    few = two("pppp", "pfpp")
    few[1] |= {"outcome": "fail", "message": long, "reason": long, "label": long[:1000]}
    assert len(built(few, tmp_path)) < 120_000


@pytest.mark.parametrize(
    ("value", "text"),
    [("inf", "∞"), ("nan", "nan"), (0.314159, "0.31"), (1437.2, "1,437"), (3.2e-5, "3.2×10⁻⁵")],
)
def test_numbers_are_short(value: object, text: str) -> None:
    assert number(value) == text
