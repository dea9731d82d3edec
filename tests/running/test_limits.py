"""No call, no cell and no process is without a limit, and nothing outlives the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from survivors import MARK, alive, survivors

from conformance.cases.case import Case
from conformance.contract.discovery import find
from conformance.errors import AdapterError
from conformance.properties import BY_SLUG
from conformance.properties.asking import Live
from conformance.records.results import Cell, read_results
from conformance.running import guardian
from conformance.running.in_flight import Watch, asked_at
from conformance.running.runner import Plan, run

MISFITS = Path(__file__).with_name("misfits.py")
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a group is all that is found")


class Silent:
    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: Cell) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


def judge(folder: Path, name: str, adapter: Path = MISFITS, **options: object) -> dict[str, Cell]:
    """The cells of a misfit by dtype."""
    plan = Plan(
        find([f"{adapter}:{name}"]),
        [BY_SLUG["loss-formula"]],
        profile="quick",
        **({"shrink": 0.0} | options),  # type: ignore[arg-type]
    )
    run(plan, folder / "results.jsonl", Silent())
    cells = read_results(folder / "results.jsonl", strict=True).cells
    return {cell["dtype"]: cell for cell in cells}


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """What every process that the test starts carries, and all that descend from it."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    return mark


# --- Time ----------------------------------------------------------------------------------------


def test_a_call_that_takes_too_long_is_a_timeout_of_its_cell(tmp_path: Path) -> None:
    cells = judge(tmp_path, "hangs", call_timeout=2.0, timeout=60.0)
    assert cells["float64"]["outcome"] == "timeout"
    assert "a call took more than 2 s" in str(cells["float64"]["message"])
    assert cells["float64"]["witness"]
    assert cells["float32"]["outcome"] in ("pass", "vacuous")


def test_a_call_for_a_curve_is_limited_too(tmp_path: Path) -> None:
    began = time.monotonic()
    cells = judge(tmp_path, "hangs_in_its_curve", call_timeout=2.0, timeout=600.0)
    assert time.monotonic() - began < 300
    assert {cell["outcome"] for cell in cells.values()} <= {"pass", "vacuous"}


def test_many_short_calls_are_no_long_one(tmp_path: Path) -> None:
    cell = judge(tmp_path, "patient", call_timeout=2.5)["float64"]
    assert cell["seconds"] > 2.5
    assert cell["outcome"] in ("pass", "vacuous")


def test_each_question_is_stamped_and_each_answer(tmp_path: Path) -> None:
    path, case = tmp_path / "note", Case(np.zeros((1, 3)), np.zeros(1, np.int64))
    assert asked_at(path) is None
    with path.open("wb", buffering=0) as file:
        assert asked_at(path) is None
        watch = Watch(file.fileno())
        before = time.monotonic()
        watch(case)
        first = asked_at(path)
        watch(None)
        assert asked_at(path) is None
        watch(case)
        second = asked_at(path)
    assert first is not None
    assert second is not None
    assert before <= first < second <= time.monotonic()


@pytest.mark.parametrize("error", [None, ValueError, AdapterError])
def test_whatever_comes_of_a_question_it_is_no_longer_in_flight(error: type | None) -> None:
    class Session:
        def loss(self, *arguments: object, **options: object) -> object:
            if error:
                raise error
            return np.zeros(())

    watched: list[Case | None] = []
    case = Case(np.zeros((1, 3)), np.zeros(1, np.int64))
    with suppress(AdapterError):
        Live(Session(), frozenset(), watched.append).ask("loss", case)  # type: ignore[arg-type]
    assert watched == [case, None]


# --- Memory --------------------------------------------------------------------------------------


@linux
def test_the_memory_of_what_a_worker_starts_counts(tmp_path: Path, mark: str) -> None:
    cells = judge(tmp_path, "feeds", memory=0.6, timeout=60.0)
    assert cells["float64"]["outcome"] == "crash"
    assert "the limit is 0.60" in str(cells["float64"]["message"])
    gained = float(str(cells["float64"]["message"]).split("memory, ")[1].split(" ")[0])
    assert 0.3 < gained < 0.75
    assert not survivors(mark)


# --- What is left running ------------------------------------------------------------------------


@linux
@pytest.mark.parametrize("name", ["daemons", "dying_daemons"])
def test_a_daemon_ends_with_its_worker(tmp_path: Path, mark: str, name: str) -> None:
    judge(tmp_path, name)
    assert not survivors(mark)


@linux
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_daemon_does_not_outlive_the_parent_of_the_run(
    tmp_path: Path, end: signal.Signals
) -> None:
    parent, mark = started(tmp_path, "hanging_daemons")
    wait_until(lambda: len(alive(mark)) >= 4)  # the parent, the guardian, the worker, the daemon
    parent.send_signal(end)
    parent.wait(20)
    assert not survivors(mark)


@linux
def test_no_probe_outlives_the_parent_of_the_run(tmp_path: Path) -> None:
    parent, mark = started(tmp_path, "fragile")
    wait_until(lambda: len(alive(mark)) >= 5)  # parent, shrinker, probe, and two guardians
    parent.kill()
    parent.wait(20)
    assert not survivors(mark)


def started(folder: Path, name: str) -> tuple[subprocess.Popen[bytes], str]:
    """The parent of a run, and the mark that all its processes carry."""
    mark = uuid.uuid4().hex
    arguments = ["run", f"{MISFITS}:{name}", "--profile", "quick", "--output", str(folder)]
    parent = subprocess.Popen(
        [sys.executable, "-m", "conformance", *arguments, "--property", "loss-formula"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, MARK: mark},
    )
    return parent, mark


def wait_until(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- The guardian --------------------------------------------------------------------------------


def guarded(code: str, **options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", guardian.__file__]
    return subprocess.Popen(
        [*command, sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os; os.kill(0, 9)", -signal.SIGKILL),
        ("import os; os.kill(os.getpid(), 13)", 0),  # Python ignores SIGPIPE
    ],
)
def test_a_guardian_ends_as_the_worker_does(code: str, status: int) -> None:
    assert guarded(code).wait(20) == status


SLEEP = "import time; time.sleep(600)"


def test_a_guardian_ends_the_worker_when_it_is_let_go(mark: str) -> None:
    process = guarded(f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEP}")
    wait_until(lambda: len(alive(mark)) == 2)
    assert process.stdin
    process.stdin.close()
    process.wait(20)
    assert not alive(mark)


@linux
def test_a_worker_ends_when_its_guardian_is_killed(mark: str) -> None:
    process = guarded(SLEEP)
    wait_until(lambda: len(alive(mark)) == 2)
    process.kill()
    process.wait(20)
    assert not survivors(mark)


@linux
def test_a_guardian_takes_nothing_that_is_meant_for_the_worker() -> None:
    with guarded("print(input())", stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"for the worker\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"for the worker\n"


def test_descendants_are_found_at_any_depth() -> None:
    parents = {2: 1, 3: 2, 4: 3, 5: 1, 6: 9}
    assert guardian.descendants(2, parents) == [3, 4]
    assert sorted(guardian.descendants(1, parents)) == [2, 3, 4, 5]
    assert guardian.descendants(7, parents) == []
