"""Words that a reader meets are explained, and what the pages say of a run is what took place."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from pages import Page, built
from synthetic import records
from variations import on_two_devices

from conformance.report.glossary import GLOSSARY, explained

WORDS = (
    *("cell", "regime", "corpus", "searched", "floor", "spoiled", "vacuous", "cotangent", "bound"),
    *("known", "stale", "adapter", "must", "should", "behaviour", "within", "beyond"),
)


@pytest.mark.parametrize("word", [*WORDS, "nothing left"])
def test_a_word_of_the_report_is_explained(page: Page, word: str) -> None:
    entry = next(name for name in GLOSSARY if word in name)
    assert GLOSSARY[entry] in page.text


def test_the_words_are_a_link_away_on_every_page(sources: dict[str, str]) -> None:
    for name, text in sources.items():
        if name == "index.html":
            assert text.index('href="#glossary"') < text.index('id="disagree"')
        elif name.startswith("implementations/"):
            assert 'href="../index.html#glossary"' in text


def test_only_devices_that_were_judged_are_said_to_have_been(tmp_path: Path) -> None:
    able = records()
    for entry in able[0]["implementations"]:
        entry["capabilities"]["devices"] = ["cpu", "cuda"]
    text = Page(built(able, tmp_path)).text
    assert "judged on cpu ," in text
    assert "judged on cpu and cuda ," in Page(built(on_two_devices(), tmp_path)).text


def test_the_exit_code_of_a_replay_is_told(pages: dict[str, Page]) -> None:
    text = pages["implementations/liger-kernel.html"].text
    assert "Exit code 1: it fails in the same way." in text


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("beyond, within", 2),
        ("no number", 1),
        ("0, no number, raises ValueError", 3),
        ("another shape, beyond, nothing left, within, wrong", 5),
        ("the same bits", 1),
        ("as if the class were not there", 1),
        ("a finite number", 1),
        ("never heard of", 0),
    ],
)
def test_the_words_of_an_answer_are_explained(label: str, words: int) -> None:
    assert len(explained(label)) == words


def test_a_behaviour_has_the_words_of_its_answers_beside_it(tmp_path: Path) -> None:
    found = records()
    for record in found:
        if record["kind"] == "cell" and record["property"] == "all-rows-ignored":
            record["label"] = record["label"] and "beyond, within"
    source = built(found, tmp_path)
    choice = unescape(source[source.index('id="behaviour"') :].split("</article>")[0])
    assert GLOSSARY["beyond"] in choice
    assert GLOSSARY["within"] in choice
