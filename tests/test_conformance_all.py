"""`tox -e conformance-all`: whatever one environment does, the others are run and merged."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from types import ModuleType

import pytest

from conformance.contract.discovery import find
from conformance.records.results import read_results

ROOT = Path(__file__).parents[1]
TOOL = ROOT / "tools" / "conformance_all.py"

FAKE = """
[tox]
skip_missing_interpreters = true

[testenv]
skip_install = true
pass_env = PYTHONPATH
allowlist_externals = {python}
judging = {python} -m conformance run --property worked-example --profile quick

[testenv:conformance-fails]
commands = python -c "raise SystemExit(5)"

[testenv:conformance-not-installable]
deps = {here}/nowhere
commands = {[testenv]judging} numpy-stable {posargs}

[testenv:conformance-of-old]
base_python = python3.1
commands = {[testenv]judging} numpy-stable {posargs}

[testenv:conformance-dies]
commands = {python} {here}/dies.py {posargs}

[testenv:conformance-hangs]
commands = {python} {here}/hangs.py {here}/pid

[testenv:conformance-subset]
commands = {[testenv]judging} numpy-stable --seed 7 {posargs}

[testenv:conformance-other]
commands = {[testenv]judging} numpy-by-hand --dtype float64 {posargs}

[testenv:conformance]
commands = {[testenv]judging} numpy-stable {posargs}
"""

DIES = """
import os, pathlib, signal, sys
pathlib.Path(sys.argv[2], "results.jsonl").write_text('{"kind": "header", "sch')
os.kill(os.getpid(), signal.SIGKILL)
"""

HANGS = """
import pathlib, subprocess, sys, time
child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(1000)
"""


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(TOOL.parent)
    import conformance_all  # type: ignore[import-not-found]

    return conformance_all


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a tox.ini of environments that misbehave; the current one."""
    pytest.importorskip("tox")
    ini = FAKE.replace("{python}", sys.executable).replace("{here}", str(tmp_path))
    (tmp_path / "tox.ini").write_text(ini)
    (tmp_path / "dies.py").write_text(DIES)
    (tmp_path / "hangs.py").write_text(HANGS)
    for name in [name for name in os.environ if name.startswith("TOX_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_others_are_merged_and_each_loss_is_said(fakes: Path) -> None:
    command = [sys.executable, str(TOOL), "--subsets", "subset,hangs", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True)
    said = done.stdout.partition("Environments:")[2].splitlines()[1:]
    assert [re.split("[,:] exit code", line.strip())[0] for line in said] == [
        "conformance: no unexpected failure",
        "conformance-fails: recorded nothing",
        "conformance-not-installable: recorded nothing",
        "conformance-of-old: skipped: its Python is not there",
        "conformance-dies",
        "conformance-other: no unexpected failure",
    ], done.stdout + done.stderr
    assert done.returncode == 3
    assert re.search("nowhere.*(No such|not exist|Invalid)", done.stdout), done.stdout
    results = read_results(fakes / "reports/latest/results.jsonl", strict=True)
    assert [entry["name"] for entry in results.header["implementations"]] == [
        "numpy-stable",
        "numpy-by-hand",
    ]
    assert results.header["seed"] == 3
    assert len(results.header["parts"]) == 2
    assert (fakes / "reports/latest/index.html").exists()


@pytest.mark.slow
def test_where_nothing_is_lost_the_exit_code_is_that_of_the_merged_run(fakes: Path) -> None:
    subsets = "subset,hangs,fails,not-installable,dies"
    command = [sys.executable, str(TOOL), "--subsets", subsets]
    assert subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.slow
def test_one_that_hangs_is_ended_with_all_that_it_has_started(
    fakes: Path, tool: ModuleType
) -> None:
    outcome = tool.run("conformance-hangs", fakes / "out", 30, [])
    assert outcome.said == "took more than 0:30: it was ended"
    assert outcome.lost
    child = int((fakes / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_main_one_has_the_longest_and_all_end_in_time(
    fakes: Path, tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each takes all that it is given."""
    began, limits = tool.time.monotonic(), dict[str, float]()

    def run(name: str, folder: Path, limit: float, options: list[str]) -> object:
        limits[name] = limit
        return tool.Outcome("took more", lost=True)

    monkeypatch.setattr(tool, "run", run)
    monkeypatch.setattr(tool.time, "monotonic", lambda: began + sum(limits.values()))
    monkeypatch.setattr(sys, "argv", ["conformance_all.py"])
    assert tool.main() == 3
    assert list(limits.values()) == [60 * 45, 60 * 25, 60 * 3]
    assert next(iter(limits)) == "conformance"
    assert sum(limits.values()) + tool.MERGING == 60 * 75


@pytest.mark.slow
def test_without_time_none_is_begun(fakes: Path) -> None:
    command = [sys.executable, str(TOOL), "--minutes", "2"]  # which are kept for merging
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 3
    assert "conformance: not begun: no time was left" in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "conformance-of-old: skipped because could not find python interpreter with spec(s): py31",
        "RuntimeError: failed to find interpreter for Builtin discover of python_spec='3.1'",
    ],
)
def test_where_its_python_is_not_there_nothing_is_lost(
    tool: ModuleType, tmp_path: Path, line: str
) -> None:
    (tmp_path / "tox.log").write_text(f"setup\n{line}\n")
    outcome = tool.judged(1, tmp_path / "results.jsonl", tmp_path / "tox.log")
    assert (outcome.said, outcome.lost) == ("skipped: its Python is not there", False)
    (tmp_path / "tox.log").write_text("FAIL code 1\n")
    assert tool.judged(1, tmp_path / "results.jsonl", tmp_path / "tox.log").lost


# --- This project's environments ------------------------------------------------------------------


@pytest.fixture(scope="module")
def ini() -> RawConfigParser:
    parser = RawConfigParser()
    parser.read(ROOT / "tox.ini", "utf-8")
    return parser


def test_every_environment_can_be_given_options(tool: ModuleType, ini: RawConfigParser) -> None:
    found = tool.environments(ROOT / "tox.ini", [])
    assert found[0] == "conformance"
    for name in found:
        last = ini[f"testenv:{name}"]["commands"].strip().splitlines()[-1]
        assert last.startswith("conformance run "), name
        assert last.endswith(" {posargs}"), name


def test_what_is_left_out_is_a_part_of_main(tool: ModuleType, ini: RawConfigParser) -> None:
    (subsets,) = re.findall(r"--subsets (\S+)", ini["testenv:conformance-all"]["commands"])
    assert set(tool.environments(ROOT / "tox.ini", subsets.split(","))) >= {
        "conformance",
        "conformance-javascript",
        "conformance-tinygrad",
    }
    main = set(ini["testenv:conformance"]["extras"].split(", "))
    for name in subsets.split(","):
        assert set(ini[f"testenv:conformance-{name}"]["extras"].split(", ")) <= main


def test_every_built_in_is_judged_in_one_environment(ini: RawConfigParser) -> None:
    """Besides the main one, of which the others are parts, or to which they are added."""
    names = {found.name for found in find()} - {"cupy-log-softmax"}  # on a GPU alone
    commands = [part.get("commands", "") for name, part in ini.items() if ":conformance-" in name]
    judged = [word for command in commands for word in command.split() if word in names]
    assert sorted(judged) == sorted(names)


@pytest.mark.parametrize("name", ["chainer", "mxnet"])
def test_the_hint_of_what_is_history_has_the_steps_of_tox(ini: RawConfigParser, name: str) -> None:
    def installed(text: str) -> list[str]:
        plain = re.sub(r"--quiet |\{.*?\}|'", "", text)
        return re.findall(r"pip install (.*?)$", plain, re.MULTILINE)

    steps = [step.split() for step in installed(ini[f"testenv:conformance-{name}"]["commands"])]
    for path in sorted((ROOT / "implementations").glob(f"{name}_*.py")):
        call = ast.parse(path.read_text("utf-8")).body[-1].value
        (hint,) = [word.value.value for word in call.keywords if word.arg == "install"]
        told = [step.split() for step in installed(hint.replace("&&", "\n"))]
        assert [[Path(w).name for w in step] for step in told] == steps, path


def test_a_subset_that_is_not_there_is_a_mistake(tool: ModuleType) -> None:
    with pytest.raises(SystemExit) as exit:
        tool.environments(ROOT / "tox.ini", ["nowhere"])
    assert exit.value.code == 2
