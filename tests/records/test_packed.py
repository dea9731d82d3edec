"""Compressed files: read as what is in them, and refused or cut short where that cannot be had."""

from __future__ import annotations

import lzma
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from samples import cell, footer, header, witness

from conformance.errors import RecordsError
from conformance.records.packed import CutError, packed
from conformance.records.results import Results, read_results
from conformance.records.schema import read_content, read_lines, to_json

CELLS = [
    cell(),
    cell("gradient-formula", outcome="fail", witness=witness(property="gradient-formula")),
    cell("offset", outcome="unsupported"),
    cell("empty-mean", label="nan"),
]
CONTENT = "".join(
    to_json(record) + "\n" for record in (header("mylib"), *CELLS, footer(*CELLS))
).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"  # by its content, not by its name


def read(path: Path, content: bytes, *, strict: bool = False) -> Results:
    path.write_bytes(content)
    return read_results(path, strict=strict)


def refused(path: Path, content: bytes) -> str:
    with pytest.raises(RecordsError) as error:
        read(path, content)
    assert error.value.exit_code == 3
    assert str(path) in str(error.value)
    return str(error.value)


def test_a_compressed_file_says_what_the_plain_one_says(path: Path) -> None:
    plain = read(path, CONTENT, strict=True)
    assert read(path, packed(CONTENT), strict=True) == plain
    for check in (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_SHA256):
        assert read(path, lzma.compress(CONTENT, check=check, preset=0), strict=True) == plain
    assert read_content(path) == CONTENT


def test_packing_is_the_same_at_any_time() -> None:
    first = packed(CONTENT)
    time.sleep(1.1)
    again = "import sys; from conformance.records.packed import packed; " + (
        "sys.stdout.buffer.write(packed(sys.stdin.buffer.read()))"
    )
    done = subprocess.run([sys.executable, "-c", again], input=CONTENT, capture_output=True)
    assert done.stdout == first == packed(CONTENT)


def test_a_plain_file_that_was_cut_is_the_same_when_it_is_compressed(path: Path) -> None:
    for end in range(len(CONTENT) - 2, len(CONTENT) - 400, -40):
        assert read(path, packed(CONTENT[:end])) == read(path, CONTENT[:end])


def test_wherever_a_stream_is_cut_what_is_read_is_true_and_not_complete(path: Path) -> None:
    whole, stream = read(path, CONTENT), packed(CONTENT)
    kept = set()
    for end in range(6, len(stream), 7):
        path.write_bytes(stream[:end])
        with pytest.raises(CutError, match="cut off in the middle"):
            read_results(path, strict=True)
        try:
            found = read_results(path)
        except CutError:  # before the end of the header
            continue
        assert not found.complete
        assert found.header == whole.header
        assert found.cells == whole.cells[: len(found.cells)]
        kept.add(len(found.cells))
    assert kept >= {0, len(CELLS)}


def test_a_broken_stream_is_refused_unless_nothing_came_of_it(path: Path) -> None:
    whole, stream = read(path, CONTENT), packed(CONTENT)
    said = set()
    for at in range(6, len(stream), 5):
        broken = bytearray(stream)
        broken[at] ^= 0x10
        path.write_bytes(broken)
        try:
            assert read_results(path) == whole
        except RecordsError as error:
            said.add(str(error).partition(": ")[2].partition(":")[0])
    assert "a broken xz stream" in said


def test_nothing_may_stand_after_the_end_of_the_stream(path: Path) -> None:
    for more in (packed(CONTENT), b"\n", b"\0\0\0\0"):
        assert "after the end" in refused(path, packed(CONTENT) + more)


def test_an_empty_stream_is_an_empty_file_and_one_within_another_is_no_json(path: Path) -> None:
    assert "empty" in refused(path, packed(b""))
    assert "not UTF-8" in refused(path, packed(packed(CONTENT)))
    assert "cut off" in refused(path, packed(CONTENT)[:6])


# --- Too large -----------------------------------------------------------------------------------


def test_a_file_that_becomes_too_many_times_its_size_is_refused_soon(path: Path) -> None:
    path.write_bytes(lzma.compress((b" " * 1000 + b"\n") * 100_000))
    assert path.stat().st_size < 20_000
    for reader in (read_content, read_results, lambda path: list(read_lines(path))):
        with pytest.raises(RecordsError, match="1000 times as large"):
            reader(path)


def test_a_line_that_is_too_long_is_refused_before_it_is_held(path: Path) -> None:
    line = b"".join(b"%08d" % n + b" " * 992 for n in range(68_000))
    assert "longer than 64 MiB" in refused(path, lzma.compress(line, preset=0))


def test_what_a_file_becomes_is_limited_as_plain_files_are(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.records.schema.LARGEST_FILE", len(CONTENT) - 1)
    assert "larger than" in refused(path, packed(CONTENT))
    with pytest.raises(RecordsError, match="larger than"):
        read_content(path)


def test_a_stream_that_asks_for_much_memory_is_refused(path: Path) -> None:
    stream = bytearray(lzma.compress(CONTENT))
    size = (stream[12] + 1) * 4  # of the block's header: its length, flags, filter, size, window
    assert stream[14:16] == b"\x21\x01"
    stream[16] = 40  # a window of 4 GiB
    stream[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(stream[12 : 12 + size - 4]))
    assert "Memory usage limit" in refused(path, bytes(stream))
