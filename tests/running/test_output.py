"""What an implementation prints is kept with the cell in which it did, and within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_limits import judge

from conformance.records.results import read_results
from conformance.report.build import build_report
from conformance.running.output import KEPT, Output

MARK = b"\x00mark\x00"


def fed(*chunks: bytes) -> Output:
    output = Output(MARK)
    for chunk in chunks:
        output.feed(chunk)
    return output


def test_output_is_cut_at_the_marks_however_it_arrives() -> None:
    whole = b"one" + MARK + b"two" + MARK + MARK + b"four"
    for size in (1, 2, 5, 100):
        output = fed(*(whole[k : k + size] for k in range(0, len(whole), size)))
        assert [output.next(), output.next(), output.next()] == ["one", "two", None]
        assert output.next() is None
        assert output.rest() == "four"


def test_the_beginning_of_a_mark_is_no_mark() -> None:
    assert fed(b"one", MARK[:3]).rest() == "one" + MARK[:3].decode()


@pytest.mark.parametrize("size", [1, KEPT, 2 * KEPT])
def test_what_is_short_is_whole(size: int) -> None:
    assert fed(b"x" * size).rest() == "x" * size


def test_of_what_is_long_the_ends_are_kept() -> None:
    text = fed(b"a" * KEPT, *[b"b" * 65536] * 20, b"c" * KEPT).rest()
    assert text == "a" * KEPT + "\n[... 1,310,720 bytes left out ...]\n" + "c" * KEPT


def test_a_line_that_is_cut_is_left_out_and_so_is_a_path_in_it() -> None:
    path = b"/somewhere/lib/python3.11/site-packages/x.py: says\n"
    said = fed(path * (3 * KEPT // len(path))).rest()
    assert said
    assert set(said.splitlines()) == {
        "python3.11/site-packages/x.py: says",
        next(line for line in said.splitlines() if "left out" in line),
    }


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert fed(b"\xff\x00 noise").rest() == "\N{REPLACEMENT CHARACTER}\x00 noise"


def test_python_c_and_children_are_heard_in_the_cell_where_they_spoke(tmp_path: Path) -> None:
    cells = judge(tmp_path, "speaks")
    said = cells["float64"]["output"]
    assert said
    for voice in ("Python speaks\n", "C speaks\n", "a child speaks\n", "the error stream speaks\n"):
        assert voice in said
    assert cells["float32"]["output"] is None
    assert cells["float64"]["outcome"] in ("pass", "vacuous")


def test_a_flood_is_bounded_and_changes_no_verdict(tmp_path: Path) -> None:
    cells = judge(tmp_path, "floods")
    said = cells["float64"]["output"]
    assert said
    assert said.startswith("first words\nnoise noise")
    assert said.endswith("noise last words\n")
    assert "bytes left out" in said
    assert len(said) < 2 * KEPT + 100
    assert cells["float32"]["output"] is None
    assert cells["float64"]["outcome"] in ("pass", "vacuous")


def test_the_last_words_of_a_worker_are_kept_and_shown_in_the_report(tmp_path: Path) -> None:
    cell = judge(tmp_path, "last_words")["float64"]
    assert cell["outcome"] == "crash"
    assert cell["output"] == "I go now\n"
    results = read_results(tmp_path / "results.jsonl")
    records = [{**r, "output": "<b>"} if r["kind"] == "cell" else r for r in results.records()]
    build_report(records, tmp_path)
    (own,) = (tmp_path / "implementations").iterdir()
    page = own.read_text("utf-8")
    assert "What it printed" in page
    assert "<bdi>&lt;b&gt;</bdi>" in page


def test_it_does_not_say_where_on_the_machine_python_lies() -> None:
    output = Output(b"<mark>")
    output.feed(b'File "/home/me/.venv/lib/python3.11/site-packages/torch/nn.py", /usr/lib/x<mark>')
    assert output.next() == 'File "python3.11/site-packages/torch/nn.py", /usr/lib/x'
