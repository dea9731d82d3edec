"""The writer leaves a file that can be read after every step."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import cell, header, implementation

from conformance.errors import RecordsError
from conformance.records.results import read_results
from conformance.records.writer import ResultsWriter


def test_the_file_can_be_read_after_every_record(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, header()) as writer:
        assert read_results(path).cells == ()
        writer.join(implementation(), (0,), {"torch": "2.13"})
        assert read_results(path).header["packages"] == {"numpy": "2.4", "torch": "2.13"}
        writer.write(cell())
        assert len(read_results(path).cells) == 1
        writer.join(implementation("other"), (1,), {})
        writer.write(cell(implementation="other", outcome="fail"))
        assert not read_results(path).complete
        footer = writer.finish()
    results = read_results(path, strict=True)
    assert results.footer == footer
    assert footer["outcomes"] == {"fail": 1, "pass": 1}
    assert footer["unexpected"] == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_file_is_in_the_order_of_the_targets_not_of_the_race(tmp_path: Path) -> None:
    def written(order: tuple[str, ...]) -> list[tuple[str, ...]]:
        path = tmp_path / "results.jsonl"
        with ResultsWriter(path, header()) as writer:
            for name in order:
                writer.join(implementation(name), ("abc".index(name),), {})
            for slug in ("loss-formula", "offset"):
                for name in order:
                    writer.write(cell(slug, implementation=name, message=name * 50))
            writer.finish()
        results = read_results(path)
        return [
            tuple(entry["name"] for entry in results.header["implementations"]),
            tuple(c["id"] for c in results.cells),
        ]

    assert written(("c", "a", "b")) == written(("a", "b", "c"))


def test_leaving_early_leaves_a_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, header()) as writer:
        writer.join(implementation(), (0,), {})
        writer.write(cell())
    results = read_results(path)
    assert len(results.cells) == 1
    assert not results.complete


def test_a_record_against_the_schema_is_refused_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, header()) as writer:
        writer.join(implementation(), (0,), {})
        with pytest.raises(RecordsError, match=r"cell of mylib.*great"):
            writer.write(cell(outcome="great"))
        with pytest.raises(RecordsError, match="implementation a b"):
            writer.join(implementation("a b"), (1,), {})
        writer.write(cell(message="\ud800 no text"))
        writer.finish()
    assert len(read_results(path, strict=True).cells) == 1


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="cannot be written"):
        ResultsWriter(tmp_path / "missing" / "results.jsonl", header())
