"""The report is complete, self-contained, readable as it stands, and harmless."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import hostile, many_records, on_two_devices, records

from conformance.records.replay_script import replay_script
from conformance.records.results import JUDGED
from conformance.report import build_report
from conformance.report.build import render
from conformance.report.causes import causes
from conformance.report.disagreement import disagreements
from conformance.report.matrix import in_words
from conformance.report.run import arrange
from conformance.report.site import anchor, file_name
from conformance.report.status import STATUSES, WORST_FIRST, status_of
from conformance.report.text import link, number, percent, visible
from conformance.report.verdict import headline, score, story

VOID = {"meta", "link", "input", "br", "img", "hr", "col", "wbr"}


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


def read(folder: Path) -> dict[str, str]:
    """The pages of a report by their path in its folder."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {name.as_posix(): path.read_text(encoding="utf-8") for name, path in found.items()}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("report") / "new"
    assert build_report(records(), folder) == folder / "index.html"
    return read(folder)


@pytest.fixture(scope="module")
def pages(sources: dict[str, str]) -> dict[str, Page]:
    return {name: Page(text) for name, text in sources.items()}


@pytest.fixture(scope="module")
def source(sources: dict[str, str]) -> str:
    return sources["index.html"]


@pytest.fixture(scope="module")
def page(pages: dict[str, Page]) -> Page:
    return pages["index.html"]


def built(found: list[dict[str, Any]], folder: Path) -> str:
    return build_report(found, folder).read_text(encoding="utf-8")


def built_all(found: list[dict[str, Any]], folder: Path) -> dict[str, Page]:
    build_report(found, folder)
    return {name: Page(text) for name, text in read(folder).items()}


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


def test_there_is_a_page_for_each_implementation_and_one_for_the_lesson(
    sources: dict[str, str],
) -> None:
    names = [entry["name"] for entry in records()[0]["implementations"]]
    expected = {"index.html", "softmax-log-nll.html"}
    assert set(sources) == expected | {f"implementations/{name}.html" for name in names}


def test_every_cell_that_was_asked_is_on_the_page_of_its_implementation(
    pages: dict[str, Page],
) -> None:
    asked = [
        r
        for r in records()
        if r["kind"] == "cell" and status_of(r).name not in ("unsupported", "not-run")
    ]
    assert len(asked) > 800
    for cell in asked:
        ids = set(pages[f"implementations/{cell['implementation']}.html"].all("id"))
        assert f"cpu/{cell['dtype']}/{cell['property']}" in ids


def test_a_finding_is_told_in_full(pages: dict[str, Page]) -> None:
    for cell in records():
        if cell["kind"] == "cell" and cell["witness"]:
            text = pages[f"implementations/{cell['implementation']}.html"].text
            for said in (cell["message"], cell["reason"], cell["witness"]["expected"]):
                assert not said or said in text
            assert f"conformance replay results.jsonl --cell {cell['id']}" in text


def test_evidence_is_shown_for_what_passed(pages: dict[str, Page]) -> None:
    text = pages["implementations/jax-log-softmax.html"].text
    cell = next(
        r
        for r in records()
        if r.get("id") == "jax-log-softmax/cpu/float32/loss-formula" and r["outcome"] == "pass"
    )
    assert f"{cell['power']['rejected']} of {cell['power']['spoiled']}" in text
    assert all(f"{regime} {n}" in text for regime, n in cell["regimes"].items())


def test_the_matrix_has_a_mark_for_every_cell(source: str) -> None:
    rows = re.findall(r'<tr class="property".*?</tr>', source, re.DOTALL)
    marks = Counter(re.findall(r"<i class=([a-z-]+)>", "".join(rows)))
    assert marks == Counter(status_of(r).name for r in records() if r["kind"] == "cell")


def test_a_cell_of_the_matrix_says_in_words_what_its_marks_say(source: str) -> None:
    found = arrange(records())
    liger = next(column for column in found.columns if column.name == "liger-kernel")
    cells = [found.cell(liger, "gradient-formula", dtype) for dtype in found.dtypes]
    assert in_words(cells) == "fail in float16, pass elsewhere"
    assert in_words(cells[:1]) == "pass"
    square = r'href="implementations/liger-kernel.html#cpu/gradient-formula" aria-label="([^"]*)"'
    assert in_words(cells) in re.findall(square, source)


def test_causes_gather_what_has_one_reason() -> None:
    found = causes(arrange(records()).cells)
    cells = [cell for cause in found for cell in cause.cells]
    detailed = [r["id"] for r in records() if r["kind"] == "cell" and status_of(r).detailed]
    assert sorted(cell.id for cell in cells) == sorted(detailed)
    unexpected = [cause.worst.unexpected for cause in found]
    assert unexpected == sorted(unexpected, reverse=True)
    known = [cause for cause in found if cause.status.name == "known"]
    assert len({cause.reason for cause in known}) == len(known)


def test_all_outcomes_have_a_glyph_a_word_and_a_meaning_of_their_own(page: Page) -> None:
    outcomes = {*JUDGED, "unsupported", "not-run", "known", "stale", "recorded"}
    assert outcomes == set(STATUSES) == {status.name for status in WORST_FIRST}
    assert len({status.glyph for status in STATUSES.values()}) == len(STATUSES)
    assert all(status.meaning in page.text for status in STATUSES.values())
    assert {s.name for s in STATUSES.values() if s.judged} == {*JUDGED, "known", "stale"}


def test_the_lesson_has_the_worked_example_and_the_curves(pages: dict[str, Page]) -> None:
    page = pages["softmax-log-nll.html"]
    assert "1.5230" in page.text
    assert re.search(r"float32 numpy-stable never 10\d\.\d 10\d\.\d", page.text)
    drawn = [label for label in page.all("aria-label") if "absolute error" in label]
    assert len(drawn) == 4


def test_the_largest_errors_stand_with_the_inputs_that_attain_them(
    pages: dict[str, Page],
) -> None:
    text = pages["implementations/jax-log-softmax.html"].text
    after = text[text.index("The largest errors seen") :]
    worst = {
        r["dtype"]: r["worst"]
        for r in records()
        if r["kind"] == "cell"
        and (r["implementation"], r["property"]) == ("jax-log-softmax", "loss-formula")
    }
    for dtype, found in worst.items():
        shape = " × ".join(map(str, found["case"]["logits"]["shape"]))
        ratio, ulp = number(found["ratio"]), number(found["ulp"])
        assert f"loss {dtype} {ratio} {ulp} gap {shape} logits" in after
    assert "not in the records" in after


def test_without_curves_the_lesson_still_stands(tmp_path: Path) -> None:
    found = [r for r in records() if r["kind"] != "curve"]
    text = built_all(found, tmp_path)["softmax-log-nll.html"].text
    assert "A worked example" in text
    assert "Where the steps leave" not in text


def test_the_worked_example_says_who_reproduced_it(pages: dict[str, Page]) -> None:
    assert "keras-sparse in float16 did not" in pages["softmax-log-nll.html"].text


def test_the_error_is_drawn_against_the_loss_for_each_implementation(
    pages: dict[str, Page],
) -> None:
    for curve in records():
        if curve["kind"] == "curve":
            labels = pages[f"implementations/{curve['implementation']}.html"].all("aria-label")
            assert any(label.startswith(f"{curve['dtype']}: absolute") for label in labels)


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


@pytest.mark.slow
def test_so_is_the_page_of_a_large_run(tmp_path: Path) -> None:
    found = many_records(implementations=40, properties=60)
    assert sum(r["kind"] == "cell" for r in found) == 40 * 60 * 4
    assert len(built(found, tmp_path).encode()) <= 1_000_000


@pytest.mark.slow
def test_a_run_in_which_all_fails_has_a_page_of_a_megabyte_too(tmp_path: Path) -> None:
    finding = next(r for r in records() if r["kind"] == "cell" and r["witness"])
    wrong = {"outcome": "fail", "expectation": None, "witness": finding["witness"]}
    wrong |= {"message": "the loss is wrong in a way that takes some words to tell " * 8}
    found = many_records(implementations=40, properties=60)
    failing = [r | wrong | {"corpus": "pf" * 20} if r["kind"] == "cell" else r for r in found]
    page = render(arrange(failing), kill_matrix="")
    name, text = next(iter(page))
    assert name == "index.html"
    assert len(text.encode()) <= 1_000_000


def test_each_device_has_its_part_of_the_page(tmp_path: Path) -> None:
    pages = built_all(on_two_devices(), tmp_path)
    assert len(pages) == 2 + 12
    assert dead_links(pages) == []
    for page in pages.values():
        ids = list(page.all("id"))
        assert len(ids) == len(set(ids))
    ids = set(pages["implementations/torch-fused.html"].all("id"))
    for device in ("cpu", "cuda"):
        assert {f"device/{device}", f"{device}/float32/loss-formula"} <= ids
    assert "torch-fused on cuda" in pages["index.html"].text


def test_nothing_is_loaded_from_anywhere(pages: dict[str, Page], sources: dict[str, str]) -> None:
    for tag, attributes in (element for page in pages.values() for element in page.elements):
        for name, value in attributes.items():
            if name in ("src", "srcset", "action", "data", "poster", "background", "formaction"):
                raise AssertionError((tag, name, value))
            if name in ("href", "xlink:href") and value and not value.startswith("#"):
                assert (tag, value) == ("link", "data:,") or tag == "a", (tag, value)
    for source in sources.values():
        assert "@import" not in source
        assert "url(" not in source


def test_a_kill_matrix_is_linked_to_where_there_is_one(tmp_path: Path, source: str) -> None:
    assert "kill-matrix.html" not in source
    (tmp_path / "kill-matrix.html").touch()
    assert 'href="kill-matrix.html"' in built(records(), tmp_path)


def dead_links(pages: dict[str, Page]) -> list[tuple[str, str]]:
    """The links within a report that lead nowhere: (page, address)."""
    ids = {name: set(page.all("id")) for name, page in pages.items()}
    dead = []
    for name, page in pages.items():
        for href in page.all("href"):
            parts = urlsplit(href)
            if parts.scheme:
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), parts.path))
            target = name if not parts.path else unquote(target)
            fragment = unquote(parts.fragment)
            if target not in pages or (fragment and fragment not in ids[target]):
                dead.append((name, href))
    return dead


def test_ids_are_unique_and_every_link_resolves(pages: dict[str, Page]) -> None:
    for page in pages.values():
        ids = list(page.all("id"))
        assert len(ids) == len(set(ids))
    assert (
        sum(href.startswith("implementations/") for href in pages["index.html"].all("href")) > 400
    )
    assert dead_links(pages) == []


def test_permalinks_are_the_same_in_another_run(tmp_path: Path, pages: dict[str, Page]) -> None:
    """A run of fewer implementations and properties: what is left keeps its place."""
    header, *rest = records()
    header["implementations"] = header["implementations"][2:4]
    names = [entry["name"] for entry in header["implementations"]]
    fewer = [r for r in rest if r["kind"] == "cell" and r["implementation"] in names]
    for name, page in built_all([header, *fewer], tmp_path).items():
        assert set(page.all("id")) <= set(pages[name].all("id"))


def test_every_picture_has_a_text_alternative_and_every_table_a_header(
    pages: dict[str, Page],
) -> None:
    for page in pages.values():
        pictures = [attributes for tag, attributes in page.elements if tag == "svg"]
        assert all(a.get("role") == "img" and a.get("aria-label") for a in pictures)
        headers = [a for tag, a in page.elements if tag == "th"]
        assert headers
        assert all(a.get("scope") for a in headers)


def test_every_mark_is_said_in_words(pages: dict[str, Page]) -> None:
    """Marks stand in a link that has words, beside hidden words, or beside the word itself."""
    for page in pages.values():
        for _, attributes in page.elements:
            classes = (attributes.get("class") or "").split()
            if classes[:1] == ["mark"]:
                assert attributes.get("aria-hidden") == "true", attributes
    words = [
        a["aria-label"] or ""
        for tag, a in pages["index.html"].elements
        if tag == "a" and "aria-label" in a
    ]
    assert len(words) == 12 * 27
    assert all(any(name in said for name in STATUSES) for said in words)


# -- replay ------------------------------------------------------------------------------------


def test_both_halves_of_a_replay_script_are_on_the_page(sources: dict[str, str]) -> None:
    adapters = {i["name"]: i["adapter"] for i in records()[0]["implementations"]}
    with_witness = [r for r in records() if r["kind"] == "cell" and r["witness"]]
    for cell in with_witness[::4]:
        source = sources[f"implementations/{cell['implementation']}.html"]
        blocks = [
            re.sub(r"&(?:lt|gt|amp|#34|#39);", lambda m: _PLAIN[m[0]], block)
            for block in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", source, re.DOTALL)
        ]
        script = replay_script(cell["witness"], adapters[cell["implementation"]])
        assert any(script.startswith(b) and script[len(b) + 1 :] in blocks for b in blocks)


_PLAIN = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&#34;": '"', "&#39;": "'"}


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


def renamed(names: list[str]) -> list[dict[str, Any]]:
    """The records with other names for the first implementations."""
    header, *rest = records()
    entries = header["implementations"]
    new = {entry["name"]: name for entry, name in zip(entries, names, strict=False)}
    header["implementations"] = [e | {"name": new.get(e["name"], e["name"])} for e in entries]
    found = [r for r in rest if r["kind"] == "cell"]
    return [header] + [
        r | {"implementation": new.get(r["implementation"], r["implementation"])} for r in found
    ]


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
