"""The writer leaves a file that can be read after every step, whatever comes between."""

from __future__ import annotations

import errno
import json
import os
import random
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import asked, cell, footer, header, implementation, witness

from conformance.errors import RecordsError, StorageError, UsageError
from conformance.records import writer as module
from conformance.records.results import Results, read_results
from conformance.records.writer import ResultsWriter, claimed, write_results

ORDER = ("mylib", "other")
SLUGS = ("loss-formula", "gradient-formula", "offset", "empty-mean")


def test_the_file_can_be_read_after_every_record(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, header(properties=asked("loss-formula")), order=ORDER) as writer:
        assert read_results(path).cells == ()
        writer.join(implementation(), {"torch": "2.13"})
        assert read_results(path).header["packages"] == {"numpy": "2.4", "torch": "2.13"}
        writer.write(cell())
        assert len(read_results(path).cells) == 1
        writer.join(implementation("other"), {})
        writer.write(cell(implementation="other", outcome="fail"))
        assert not read_results(path).complete
        footer = writer.finish()
    results = read_results(path, strict=True)
    assert results.footer == footer
    assert footer["outcomes"] == {"fail": 1, "pass": 1}
    assert footer["unexpected"] == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_file_is_in_canonical_order_not_of_the_race(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    cells = [
        cell(slug, implementation=name, dtype=dtype)
        for name in "abc"
        for dtype in ("float64", "float32")
        for slug in SLUGS
    ]
    for _ in range(3):
        raced = random.sample(cells, len(cells))
        with ResultsWriter(path, header(), order="abc") as writer:
            for name in dict.fromkeys(c["implementation"] for c in raced):
                writer.join(implementation(name), {})
            for one in raced:
                writer.write(one)
            writer.finish()
        results = read_results(path, strict=True)
        assert [entry["name"] for entry in results.header["implementations"]] == ["a", "b", "c"]
        assert list(results.cells) == cells


def test_leaving_early_leaves_a_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, header(), order=ORDER) as writer:
        writer.join(implementation(), {})
        writer.write(cell())
    results = read_results(path)
    assert len(results.cells) == 1
    assert not results.complete


def test_a_record_against_the_schema_is_refused_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsWriter(
        path, header(properties=asked("loss-formula")), order=(*ORDER, "a b")
    ) as writer:
        writer.join(implementation(), {})
        with pytest.raises(RecordsError, match=r"cell of mylib.*great"):
            writer.write(cell(outcome="great"))
        with pytest.raises(RecordsError, match="implementation a b"):
            writer.join(implementation("a b"), {})
        writer.write(cell(message="\ud800 no text"))
        writer.finish()
    assert len(read_results(path, strict=True).cells) == 1


# --- What was kept --------------------------------------------------------------------------------

TEXTS = st.none() | st.text(max_size=20)
NUMBERS = st.floats(min_value=0) | st.sampled_from(("nan", "inf")) | st.integers(0, 2**53)


@st.composite
def cells(draw: st.DrawFn) -> Any:
    found = {}
    for slug in draw(st.lists(st.sampled_from(SLUGS), unique=True)):
        fields = {"message": draw(TEXTS), "seconds": draw(st.floats(0, 1e9))}
        if draw(st.booleans()):
            fields["worst"] = {"ratio": draw(NUMBERS), "ulp": 0.1, "regime": "typical"}
        if draw(st.booleans()):
            fields |= {"outcome": "fail", "message": "wrong", "worst": None}
            fields["witness"] = witness(property=slug, message=draw(TEXTS))
        found[slug] = cell(slug, **fields)
    return list(found.values())


@settings(max_examples=50, deadline=None)
@given(cells(), st.data())
def test_a_file_that_was_cut_at_any_byte_is_taken_up_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, cells: list[Any], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "results.jsonl"
    with ResultsWriter(path, header(shard="1/2"), order=ORDER) as writer:
        writer.join(implementation(), {})
        for one in cells:
            writer.write(one)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: data.draw(st.integers(first, len(whole)))])

    kept = read_results(path)
    with ResultsWriter(path, kept.header, order=ORDER, kept=kept.cells) as writer:
        assert whole.startswith(path.read_bytes())
        for one in cells[len(kept.cells) :]:
            writer.write(one)
        assert path.read_bytes() == whole
        writer.finish()
    again = path.read_bytes().splitlines(keepends=True)
    assert sorted(again[:-1]) == sorted(whole.splitlines(keepends=True))
    assert read_results(path, strict=True).footer


def test_results_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    about = header("mylib", properties=asked("loss-formula", "offset"))
    results = Results(about, (cell(), cell("offset")), (), None)
    write_results(path, results)
    assert read_results(path) == results
    write_results(path, Results(results.header, results.cells, (), footer(*results.cells)))
    assert read_results(path).complete


# --- A power cut, a full disk, a second run -------------------------------------------------------


def test_a_record_is_on_the_disk_before_the_next_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.jsonl"
    synced: list[tuple[str, int]] = []

    def note(sync: Any) -> Any:
        def noted(descriptor: int) -> None:
            name = os.readlink(f"/proc/self/fd/{descriptor}").rpartition("/")[2]
            synced.append((name, os.fstat(descriptor).st_size))
            sync(descriptor)

        return noted

    monkeypatch.setattr(module, "_sync_data", note(module._sync_data))
    monkeypatch.setattr(os, "fsync", note(os.fsync))
    folder = tmp_path.name
    with ResultsWriter(path, header(), order=ORDER) as writer:
        assert [name for name, _ in synced] == ["results.jsonl.draft", folder]
        writer.join(implementation(), {})
        assert [name for name, _ in synced[2:]] == ["results.jsonl.draft", folder]
        for slug in SLUGS:
            writer.write(cell(slug))
            assert synced[-1] == ("results.jsonl", path.stat().st_size)
        writer.finish()
        assert [name for name, _ in synced[-2:]] == ["results.jsonl.draft", folder]


class Full(FileIO):
    """A file on a disk with little room left."""

    room = 100

    def write(self, data: Any) -> int:
        written = super().write(data[: self.room])
        self.room -= written
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, header(), order=ORDER) as writer:
        writer.join(implementation(), {})
        writer.write(cell())
        before = path.read_bytes()
        monkeypatch.setattr(writer, "_file", Full(path, "r+"))
        writer._file.seek(0, os.SEEK_END)
        with pytest.raises(StorageError, match=r"results\.jsonl: cannot be written: No space left"):
            writer.write(cell("offset"))
    assert path.read_bytes() == before


def test_a_disk_too_full_for_the_next_draft_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, header(), order=ORDER) as writer:
        writer.join(implementation(), {})
        writer.write(cell())
        before = path.read_bytes()
        monkeypatch.setattr(os, "fsync", refuse)
        for step in (lambda: writer.join(implementation("other"), {}), writer.finish):
            with pytest.raises(StorageError, match="No space left"):
                step()
            assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_file_stays_until_there_is_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text("older")
    with pytest.raises(RecordsError, match="header"):
        ResultsWriter(path, header(seed=-1))
    assert path.read_text() == "older"
    with ResultsWriter(path, header()):
        assert json.loads(path.read_text())["kind"] == "header"


@pytest.mark.parametrize("place", ["missing/results.jsonl", "file/results.jsonl", "folder"])
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match=f"{place}: cannot be written"):
        ResultsWriter(tmp_path / place, header())


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with claimed(tmp_path):
        with pytest.raises(UsageError, match="another run is writing"), claimed(tmp_path):
            pass
        (tmp_path / "other").mkdir()
        with claimed(tmp_path / "other"):
            pass
    with claimed(tmp_path):
        pass
