"""Every command that reads a results file reads a compressed one, as it reads the plain one."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_cli import ALWAYS, WRONG, conformance, write

from conformance.records.packed import packed

CELL = "wrong/cpu/float32/loss-formula"
MORE = ("--property", "loss-formula", "--property", "repeatable-answer", "--profile", "quick")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run that failed, beside the adapter."""
    folder = tmp_path_factory.mktemp("run")
    adapter = write(folder / "wrong.py", WRONG)
    assert conformance("run", adapter, *ALWAYS, "--output", folder).exit_code == 1
    return folder / "results.jsonl"


def in_a_folder(folder: Path, plain: Path, content: bytes) -> Path:
    """Such a results file and its adapter, and the report of it if there is one."""
    folder.mkdir()
    shutil.copy(plain.parent / "wrong.py", folder)
    (folder / "results").write_bytes(content)
    return folder / "results"


@pytest.mark.parametrize(
    "command",
    [
        ("validate", "{file}"),
        ("report", "{file}", "--output", "{folder}/page", "--junit", "{folder}/junit.xml"),
        ("diff", "{file}", "{file}", "--html", "{folder}/changes.html"),
        ("merge", "{file}", "--output", "{folder}/merged"),
        ("publish", "{file}", "--site", "{folder}/site"),
        ("replay", "{file}", "--cell", CELL, "--script"),
        ("replay", "{file}", "--cell", CELL, "--adapter", "{folder}/wrong.py"),
        ("known", "add", "{file}", "--reason", "so be it", "--adapter", "{folder}/wrong.py"),
        ("known", "prune", "{file}", "--adapter", "{folder}/wrong.py"),
    ],
    ids=lambda command: " ".join(word for word in command if "{" not in word)[:30],
)
def test_a_command_does_the_same_with_a_compressed_file(
    command: tuple[str, ...], plain: Path, tmp_path: Path
) -> None:
    done: list[tuple[Any, ...]] = []
    for name, content in (("a", plain.read_bytes()), ("b", packed(plain.read_bytes()))):
        folder = tmp_path / name
        file = in_a_folder(folder, plain, content)
        result = conformance(*(word.format(file=file, folder=folder) for word in command))
        made = {
            str(path.relative_to(folder)): path.read_bytes().replace(bytes(folder), b"")
            for path in folder.rglob("*")
            if path.is_file() and path != file and path.suffix != ".pyc"
        }
        said = result.stdout.replace(str(folder), ""), result.stderr.replace(str(folder), "")
        done.append((result.exit_code, said, made))
    assert done[0] == done[1]
    refused = command[0] == "publish"  # one property is a part of a run
    assert refused == ("a part of a run" in done[0][1][1]) == (done[0][0] == 3)


@pytest.mark.parametrize("break_it", [lambda s: s[:-30], lambda s: s[:99] + b"\0" + s[100:]])
@pytest.mark.parametrize(
    "command",
    [("validate",), ("diff", "{plain}"), ("publish", "--site", "{folder}/site"), ("merge",)],
    ids=lambda command: command[0],
)
def test_a_broken_stream_is_an_error_and_no_traceback(
    command: tuple[str, ...], break_it: Any, plain: Path, tmp_path: Path
) -> None:
    path = tmp_path / "results.jsonl.xz"
    path.write_bytes(break_it(packed(plain.read_bytes())))
    more = (word.format(plain=plain, folder=tmp_path) for word in command[1:])
    output = ("--output", tmp_path / "merged") if command[0] == "merge" else ()
    done = conformance(command[0], path, *more, *output)
    assert done.exit_code == 3
    assert f"{path}" in done.stderr
    assert "xz stream" in done.stderr or "truncated" in done.stderr
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} == {".xz"}


def test_a_cut_stream_is_reported_as_truncated(plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl.xz"
    path.write_bytes(packed(plain.read_bytes())[:-10])
    done = conformance("report", path)
    assert done.exit_code == 0
    assert "is truncated" in done.stderr
    assert "This run is incomplete" in (tmp_path / "index.html").read_text()


def test_an_interrupted_run_is_taken_up_though_somebody_compressed_it(tmp_path: Path) -> None:
    adapter = write(tmp_path / "wrong.py", WRONG)
    again = ("run", adapter, *MORE, "--output", tmp_path)
    conformance(*again)
    path = tmp_path / "results.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lzma.compress(b"".join(lines[:2])))
    assert conformance(*again, "--resume").exit_code == 1
    assert path.read_bytes().splitlines(keepends=True)[:2] == lines[:2]
    assert "complete, 2 cells" in conformance("validate", path).stdout
