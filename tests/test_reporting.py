"""The commands that tell of runs: diff, publish, and what CI reads."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as XML

import pytest
from test_cli import ALWAYS, RIGHT, WRONG, conformance, write

sys.path.insert(0, str(Path(__file__).parent / "records"))
from samples import cell, footer, header, write_lines

from conformance.cli import main

CRASH = {"outcome": "crash", "message": "SIGSEGV [bold]"}


def file(path: Path, *cells: Any, end: bool = True, **fields: Any) -> Path:
    """A results file of an older suite, whose properties nobody knows any more."""
    head = header("mylib", **{"suite": {"version": "0.0.1", "commit": None}} | fields)
    asked = {c["property"] for c in cells}
    head["properties"] = [entry for entry in head["properties"] if entry["slug"] in asked]
    (entry,) = head["implementations"]
    entry["capabilities"] = entry["capabilities"] | {"dtypes": ["float32"]}
    return write_lines(path, head, *cells, *([footer(*cells)] if end else []))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A run, and one in which a cell broke."""
    before = file(tmp_path / "a.jsonl", cell(), cell("gradient-formula"))
    broken = cell("gradient-formula", **CRASH)
    return before, file(tmp_path / "b.jsonl", cell(), broken, started="2026-01-03T03:04:05Z")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of a right and a wrong implementation, with what CI reads."""
    folder = tmp_path_factory.mktemp("ran")
    adapters = [write(folder / "right.py", RIGHT), write(folder / "wrong.py", WRONG)]
    files = ("--junit", folder / "ci" / "junit.xml", "--summary", folder / "summary.md")
    assert conformance("run", *adapters, *ALWAYS, "--output", folder, *files).exit_code == 1
    return folder


# --- diff ----------------------------------------------------------------------------------------


def test_diff_exits_with_1_where_something_broke(two: tuple[Path, Path], tmp_path: Path) -> None:
    done = conformance("diff", *two, "--html", tmp_path / "changes.html")
    assert done.exit_code == 1
    assert "gradient-formula (must)" in done.stdout
    assert "SIGSEGV [bold]" in done.stdout
    assert done.stdout.rstrip().endswith("1 cell broke: 1 unchanged.")
    assert "SIGSEGV" in (tmp_path / "changes.html").read_text()


def test_diff_exits_with_0_where_nothing_broke(two: tuple[Path, Path]) -> None:
    before, after = two
    assert conformance("diff", after, before).exit_code == 0
    done = conformance("diff", before, before)
    assert done.exit_code == 0
    assert done.stdout.rstrip().endswith("Nothing broke: 2 unchanged.")


def test_diff_speaks_json_too(two: tuple[Path, Path]) -> None:
    done = conformance("diff", *two, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["cells"]["broken"][0]["before"] == {
        "ended": "pass",
        "label": None,
    }


def test_diff_of_a_file_that_is_no_whole_run_is_one_message(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    cut = file(tmp_path / "cut.jsonl", cell(), end=False)
    for other, said in ((cut, "truncated"), (tmp_path / "none.jsonl", "no such file")):
        done = conformance("diff", two[0], other)
        assert (done.exit_code, done.stdout) == (3, "")
        assert said in done.stderr
    assert conformance("diff", two[0]).exit_code == 2


# --- publish -------------------------------------------------------------------------------------


def test_publish_adds_a_run_once(two: tuple[Path, Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    first = conformance("publish", two[0], "--site", site)
    assert first.exit_code == 0
    page, index = map(Path, first.stdout.split())
    assert page.is_file()
    assert index == site / "index.html"
    again = conformance("publish", two[0], "--site", site)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert "nothing is new" in again.stderr


def test_publish_refuses_a_run_of_some_properties(ran: Path, tmp_path: Path) -> None:
    done = conformance("publish", ran / "results.jsonl", "--site", tmp_path / "site")
    assert done.exit_code == 3
    assert "properties are missing" in done.stderr


def test_publish_refuses_what_is_no_evidence(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for cells, end, said in (
        ([cell()], False, "truncated"),
        ([cell(**CRASH)], True, "everything failed at once"),
    ):
        results = file(tmp_path / "results.jsonl", *cells, end=end)
        done = conformance("publish", results, "--site", site)
        assert (done.exit_code, done.stdout) == (3, "")
        assert f"{results} is not published" in done.stderr
        assert said in done.stderr
    assert not site.exists()


# --- What CI reads -------------------------------------------------------------------------------


def test_a_run_writes_what_ci_reads(ran: Path) -> None:
    root = XML.parse(ran / "ci" / "junit.xml").getroot()
    suites = {suite.get("name"): suite.get("failures") for suite in root}
    assert suites == {"right": "0", "wrong": "1"}
    text = (ran / "summary.md").read_text()
    assert "One cell fails unexpectedly, in 1 of 2 implementations." in text
    assert f"--cell wrong/cpu/float32/loss-formula --adapter {ran / 'wrong.py'}" in text


def test_a_report_writes_the_same(ran: Path, tmp_path: Path) -> None:
    files = ("--junit", tmp_path / "junit.xml", "--summary", tmp_path / "summary.md")
    done = conformance("report", ran / "results.jsonl", "--output", tmp_path, *files)
    assert done.exit_code == 0
    assert (tmp_path / "junit.xml").read_text() == (ran / "ci" / "junit.xml").read_text()
    assert "### ✕ fail: `wrong` `loss-formula`" in (tmp_path / "summary.md").read_text()


def test_a_step_on_github_keeps_what_others_wrote(
    ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = write(tmp_path / "step.md", "# Mine\n")
    for name, kept in (("GITHUB_STEP_SUMMARY", True), ("ANOTHER", False)):
        monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        monkeypatch.setenv(name, str(step))
        conformance("report", ran / "results.jsonl", "--output", tmp_path, "--summary", step)
        assert step.read_text().startswith("# Mine\n## Cross-entropy") == kept


def test_what_an_earlier_run_wrote_is_not_taken_for_this_one(tmp_path: Path) -> None:
    old = write(tmp_path / "junit.xml", "<testsuites/>")
    assert conformance("report", tmp_path / "none.jsonl", "--junit", old).exit_code == 3
    assert not old.exists()


def test_a_file_that_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    blocked = write(tmp_path / "file", "") / "junit.xml"
    adapter = write(tmp_path / "right.py", RIGHT)
    done = conformance("run", adapter, "--output", tmp_path / "out", "--junit", blocked)
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert not (tmp_path / "out" / "results.jsonl").exists()


# --- The recipe ----------------------------------------------------------------------------------


def test_the_recipe_names_commands_and_options_that_there_are() -> None:
    recipe = (Path(__file__).parents[1] / "docs" / "ci.md").read_text().replace("\\\n", " ")
    used = re.findall(r"^.*\bconformance (run|report|diff|publish|known)\b(.*)$", recipe, re.M)
    assert {name for name, _ in used} >= {"run", "report", "diff", "publish"}
    for name, rest in used:
        there = {option for p in main.commands[name].params for option in p.opts}
        assert set(re.findall(r"(?<![\w-])--\w[\w-]*", rest)) <= there, name
