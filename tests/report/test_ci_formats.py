"""What CI reads says what the exit code says, and hostile text is harmless in it."""

from __future__ import annotations

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as XML

import pytest
from markdown_it import MarkdownIt
from synthetic import records

from conformance.records.results import Results, is_unexpected
from conformance.report.junit import LONGEST, junit
from conformance.report.markdown import LARGEST, summary

HOSTILE = (
    "]]> <script>alert(1)</script> </text> ``` \n```\n# no heading | a | b |\n<img src=x onerror=y>"
    "\n[a](javascript:b) **bold** @someone #12 https://evil.example &lt; \x00\x1b[31m\x08"
    "\ufffe\ud800\u202eevil\r\n~~~"
)


def results(**changes: Any) -> Results:
    """The synthetic run, the cells that failed changed by ``changes``."""
    header, *rest = copy.deepcopy(list(records()))
    cells: list[Any] = [r for r in rest if r["kind"] == "cell"]
    for cell in cells:
        if (
            cell["outcome"] not in ("pass", "unsupported", "inapplicable", "not-run")
            or cell["expectation"]
        ):
            cell.update(changes)
    return Results(header, tuple(cells), (), rest[-1])  # type: ignore[arg-type]


def hostile() -> Results:
    """A run in which every word from outside is hostile."""
    found = results(message=HOSTILE + "x" * 10**5, reason=HOSTILE, link=HOSTILE)
    names = {e["name"]: e["name"] + HOSTILE for e in found.header["implementations"]}
    for entry in found.header["implementations"]:
        entry.update(name=names[entry["name"]], version=HOSTILE, distribution=HOSTILE)
    for cell in found.cells:
        cell.update(implementation=names[cell["implementation"]], device=HOSTILE)
        cell["id"] = f"{cell['implementation']}/{HOSTILE}/{cell['dtype']}/{cell['property']}"
    for prop in found.header["properties"]:
        prop["statement"] = HOSTILE
    return found


# --- JUnit ---------------------------------------------------------------------------------------

ATTRIBUTES = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, set()),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"skipped", "time", "timestamp"}),
    "properties": (set(), set()),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name"}, {"classname", "time"}),
    "failure": (set(), {"type", "message"}),
    "error": (set(), {"type", "message"}),
    "skipped": (set(), {"type", "message"}),
}
"""What Jenkins' schema says of each element that we write: what it needs, and what it may have."""

CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "error", "skipped"},
}


def checked(text: str) -> Any:
    """The document, once it is of the form that readers of JUnit XML agree on."""
    root = XML.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        needs, may = ATTRIBUTES[element.tag]
        assert needs <= set(element.attrib) <= needs | may
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert re.fullmatch(r"[0-9]*(\.[0-9]*)?", element.get("time", ""))
    for suite in root:
        tags = Counter(child.tag for case in suite.iter("testcase") for child in case)
        assert int(suite.get("tests", -1)) == len(list(suite.iter("testcase")))
        assert int(suite.get("failures", -1)) == tags["failure"]
        assert int(suite.get("errors", -1)) == tags["error"]
        assert int(suite.get("skipped", -1)) == tags["skipped"]
    for name in ("tests", "failures", "errors"):
        assert int(root.get(name, -1)) == sum(int(suite.get(name, -1)) for suite in root)
    return root


def by_id(root: Any) -> dict[str, Any]:
    """What each case is besides passed, by ``implementation.device.dtype.property``."""
    return {
        f"{c.get('classname')}.{c.get('name')}": next(iter(c), None) for c in root.iter("testcase")
    }


def test_a_case_for_each_cell_ends_as_the_cell_does() -> None:
    found = results()
    cases = by_id(checked(junit(found)))
    assert len(cases) == len(found.cells)
    for cell in found.cells:
        child = cases[".".join(cell["id"].split("/"))]
        tag = None if child is None else child.tag
        if cell["expectation"] == "known" or cell["outcome"] == "unsupported":
            assert tag == "skipped"
            assert cell["reason"] in child.get("message")
        elif cell["outcome"] in ("error", "crash", "timeout", "not-run"):
            assert tag == "error"
        elif is_unexpected(cell):
            assert tag == "failure"
            assert child.text.startswith(cell["message"])
        else:
            assert tag is None


def test_a_failure_shows_its_counterexample() -> None:
    texts = [element.text for element in checked(junit(results())).iter("failure")]
    assert any("The smallest counterexample:\nlogits = [[" in text for text in texts)


def test_a_level_that_does_not_count_is_skipped() -> None:
    found = results()
    tags = by_id(checked(junit(found, ("must",))))
    should = [c for c in found.cells if c["level"] == "should" and is_unexpected(c)]
    assert should
    for cell in should:
        if cell["outcome"] == "fail":
            assert "does not count" in tags[".".join(cell["id"].split("/"))].get("message")


def test_a_truncated_run_is_an_error() -> None:
    found = results()
    root = checked(junit(Results(found.header, found.cells)))
    assert root[-1].find("testcase/error").get("type") == "truncated"


def test_hostile_text_is_harmless_in_xml() -> None:
    text = junit(hostile())
    root = checked(text)
    assert "<script" not in text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\u202e]", text)
    assert max(len(e.text or "") for e in root.iter("failure")) < 2 * LONGEST


# --- Markdown ------------------------------------------------------------------------------------


def rendered(text: str) -> str:
    """As GitHub renders it: CommonMark with tables, and HTML let through."""
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")
    return str(parser.render(text))


def test_the_summary_has_the_verdict_a_table_and_each_finding() -> None:
    found = results()
    text = summary(found, Path("reports/latest/results.jsonl"))
    page = rendered(text)
    assert page.index("<h2>") < page.index("unexpectedly, in") < page.index("<table>")
    assert page.count("<tr>") == 1 + len(found.header["implementations"])
    unexpected = [c for c in found.cells if is_unexpected(c)]
    assert unexpected
    for cell in unexpected:
        assert f"<code>{cell['implementation']}</code> <code>{cell['property']}</code></h3>" in page
    assert "    logits = [[" in text
    assert "$ conformance replay reports/latest/results.jsonl --cell " in text


def test_the_replay_command_says_where_the_adapter_is() -> None:
    text = summary(results(), Path("my results.jsonl"), adapters={"liger-kernel": "a b.py"})
    assert re.search(r"replay 'my results.jsonl' --cell liger-kernel\S+ --adapter 'a b.py'", text)


def test_a_run_without_findings_is_short() -> None:
    text = summary(results(outcome="pass", expectation=None), Path("results.jsonl"))
    assert "Everything that was judged passed." in text
    assert "###" not in text


def test_a_level_that_does_not_count_is_left_out() -> None:
    found = results()
    text = summary(found, Path("results.jsonl"), ("must",))
    assert "Only failures at the level must count." in text
    wrong = [c for c in found.cells if c["level"] == "should" and c["outcome"] == "fail"]
    assert wrong
    assert not [c for c in wrong if f"`{c['implementation']}` `{c['property']}`" in text]


def test_a_truncated_run_says_so_first() -> None:
    found = results()
    text = summary(Results(found.header, found.cells), Path("results.jsonl"))
    assert text.index("incomplete") < text.index("unexpectedly")


def test_hostile_text_is_harmless_in_markdown() -> None:
    text = summary(hostile(), Path("results.jsonl"))
    page = rendered(text)
    tags = set(re.findall(r"<(/?\w+)", page))
    assert {tag.strip("/") for tag in tags} <= {
        *("h2", "h3", "p", "strong", "code", "pre"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert page.count("<h2>") == 1
    outside = re.sub(r"<(code|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    for word in ("evil", "someone", "bold", "no heading"):
        assert word in page
        assert word not in outside
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e]", text)


@pytest.mark.parametrize("room", [LARGEST, 50_000, 100, 10])
def test_the_summary_stays_within_its_room(room: int) -> None:
    text = summary(hostile(), Path("results.jsonl"), room=room)
    assert len(text.encode()) <= room
    assert ("more finding" in text) == (room in (50_000, 100))


def test_what_is_left_out_is_counted_wherever_the_cut_is() -> None:
    found, path = results(), Path("results.jsonl")
    text = summary(found, path)
    cuts = [len(text[: m.start()].encode()) for m in re.finditer("### ", text)]
    for number, cut in enumerate(cuts[1:], 1):
        short = summary(found, path, room=cut + 5)
        left = re.search(r"… and (\d+) more finding", short)
        assert left
        assert len(cuts) - int(left[1]) in (number, number - 1)
