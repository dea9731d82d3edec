"""What is said of a finding: its reason, with links that lead somewhere, and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Page, built_all
from synthetic import records

from conformance.report.causes import causes
from conformance.report.findings import expected_of
from conformance.report.run import arrange
from conformance.report.text import clip, said

ISSUE = "https://github.com/pytorch/pytorch/issues/134767"


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        (f"As {ISSUE} says.", [ISSUE]),
        (f"(see {ISSUE}).", [ISSUE]),
        ("As in pytorch/pytorch#134767, and so on", [ISSUE]),
        ("in docs/findings.md", []),
        ("a/b/c#3", []),
        ("javascript://x.org/y ftp://x.org", []),
        ("https://", []),
    ],
)
def test_references_in_a_reason_are_links(text: str, addresses: list[str]) -> None:
    page = Page(str(said(text)))
    assert list(page.all("href")) == addresses
    assert "".join(page.words) == text


@pytest.mark.parametrize("length", range(8, len(ISSUE) + 1))
def test_an_address_that_is_cut_short_is_no_link(length: int) -> None:
    text = clip(f"See {ISSUE}", length)
    assert ("href" in said(text)) == (text.endswith(ISSUE))


@given(st.text())
def test_a_reason_is_text_whatever_it_is(text: str) -> None:
    page = Page(str(said(text + "https://x.org/" + text)))
    assert {tag for tag, _ in page.elements} <= {"a", "bdi"}


@pytest.mark.parametrize(
    ("witness", "expected"),
    [
        ({"expected": "1 ± 0", "message": "is inf, should be 2"}, "1 ± 0"),
        (
            {"expected": None, "message": "the mean loss is nan, should be about 1.099"},
            "about 1.099",
        ),
        ({"expected": None, "message": "is 0, should be 7.28 ± 0.18 (off by 7.3)"}, "7.28 ± 0.18"),
        ({"expected": None, "message": "a target (1,) gets 0.693147"}, ""),
        ({"expected": None, "message": None}, ""),
        ({}, ""),
    ],
)
def test_what_was_expected_is_read_from_the_message_where_it_stands_there(
    witness: dict[str, Any], expected: str
) -> None:
    assert expected_of(witness) == expected


def failing(folder: Path, **fields: Any) -> Page:
    """The page of an implementation whose only finding has such a witness."""
    header, *rest = records()
    cell = next(r for r in rest if r["kind"] == "cell" and r["outcome"] == "fail")
    cell["witness"] |= fields
    header["implementations"] = [
        i for i in header["implementations"] if i["name"] == cell["implementation"]
    ]
    pages = built_all([header, cell], folder)
    return pages[f"implementations/{cell['implementation']}.html"]


def test_a_finding_says_expected_and_got_in_any_case(tmp_path: Path) -> None:
    page = failing(tmp_path, expected=None, message="is inf, should be about 3")
    assert "expected about 3 got inf" in page.text
    page = failing(tmp_path, expected=None, message="no")
    assert any(
        f"expected {p['statement']} got inf" in page.text for p in records()[0]["properties"]
    )


def test_a_cause_has_a_link_if_one_of_its_cells_has() -> None:
    found = [r for r in records() if r["kind"] != "cell" or r["expectation"] == "known"]
    cells = [r for r in found if r["kind"] == "cell"]
    cells[0]["link"] = None
    assert all(cause.link for cause in causes(arrange(found).cells) if len(cause.cells) > 1)
    for cell in cells:
        cell["link"] = None
    assert not any(cause.link for cause in causes(arrange(found).cells))


def test_packages_are_those_that_implementations_name_too(tmp_path: Path) -> None:
    found = records()
    found[0]["packages"] = {"numpy": "9.9"}
    page = built_all(found, tmp_path)["index.html"]
    assert arrange(found).packages["numpy"] == "9.9"
    assert arrange(found).packages["keras"] == "3.15.1"
    assert "tensorflow-cpu 2.21.0" in page.text
