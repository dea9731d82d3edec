"""The pages are self-contained, small, linked to each other, and accessible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import Page, built, built_all, dead_links
from synthetic import records
from variations import many_records, on_two_devices

from conformance.records.replay_script import replay_script
from conformance.report.build import render
from conformance.report.run import arrange
from conformance.report.status import STATUSES

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
    page = render(arrange(failing))
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


def test_ids_are_unique_and_every_link_resolves(pages: dict[str, Page]) -> None:
    for page in pages.values():
        ids = list(page.all("id"))
        assert len(ids) == len(set(ids))
    assert (
        sum(href.startswith("implementations/") for href in pages["index.html"].all("href")) > 150
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
        if tag in ("a", "b") and "aria-label" in a
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
