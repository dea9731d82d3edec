"""Whatever an implementation does to its process, the run goes on and the cell says what it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from survivors import MARK, survivors

from conformance.cases.case import Case
from conformance.commands.summary import exit_code
from conformance.contract.discovery import find
from conformance.properties import BY_SLUG
from conformance.records.known import Expectation, known_path, save_known
from conformance.records.results import UNOFFERED, Cell, Results, read_results
from conformance.records.witness import decode_case, encode_case
from conformance.running import runner
from conformance.running.in_flight import Watch, noted_case
from conformance.running.runner import PATIENCE, Plan, run

HERE = Path(__file__).parent
SABOTAGE = HERE / "sabotage.py"
LOST = ("segfault", "leave", "hang", "mute", "scribble", "forks")
SLUGS = ("loss-formula",)
FINE = ("pass", "vacuous")  # the sample of questions is too small to insist on power


class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def begins(self, implementation: str, cells: int) -> None:
        self.heard.append(f"{implementation} begins {cells}")

    def judged(self, cell: Cell) -> None:
        self.heard.append(cell["id"])

    def ends(self, implementation: str, problem: str | None) -> None:
        self.heard.append(f"{implementation} ends {problem}")


def run_here(
    folder: Path, *targets: str, slugs: tuple[str, ...] = SLUGS, **options: object
) -> Results:
    plan = Plan(
        find(targets),
        [BY_SLUG[slug] for slug in slugs],
        profile="quick",
        **({"timeout": 20.0, "shrink": 0.0} | options),  # type: ignore[arg-type]
    )
    run(plan, folder / "results.jsonl", Listener())
    return read_results(folder / "results.jsonl", strict=True)


@pytest.fixture(scope="module")
def sabotaged(tmp_path_factory: pytest.TempPathFactory) -> Results:
    names = [*LOST, "sys-exit", "noisy", "dies-in-smoke", "wrong-shape", "only-elsewhere"]
    targets = [f"{SABOTAGE}:{name.replace('-', '_')}" for name in names]
    folder = tmp_path_factory.mktemp("run")
    return run_here(folder, *targets, str(HERE / "broken_import.py"), workers=2, timeout=2.0)


def cells(results: Results, name: str, dtype: str = "float64") -> list[Cell]:
    return [c for c in results.cells if c["implementation"] == name and c["dtype"] == dtype]


def test_every_cell_of_every_implementation_has_a_record(sabotaged: Results) -> None:
    for entry in sabotaged.header["implementations"]:
        of_it = [c for c in sabotaged.cells if c["implementation"] == entry["name"]]
        assert len(of_it) == len(SLUGS) * len({c["dtype"] for c in of_it})
        assert {c["property"] for c in of_it} == set(SLUGS)


@pytest.mark.parametrize(
    ("name", "outcome", "says"),
    [
        ("segfault", "crash", "killed by SIGSEGV"),
        ("leave", "crash", "exited with status 0"),
        ("forks", "crash", "killed by SIGABRT"),
        ("mute", "crash", "the worker"),
        ("scribble", "crash", "wrote to the suite's pipe"),
        ("hang", "timeout", "no answer within 2 s"),
    ],
)
def test_a_lost_worker_is_the_outcome_of_the_cell_in_flight(
    sabotaged: Results, name: str, outcome: str, says: str
) -> None:
    for cell in cells(sabotaged, name):
        assert cell["outcome"] == outcome
        assert says in (cell["message"] or "")


@pytest.mark.parametrize("name", [name for name in LOST if name != "scribble"])
def test_the_case_in_flight_is_kept_bit_for_bit(sabotaged: Results, name: str) -> None:
    for cell in cells(sabotaged, name):
        assert cell["witness"]
        case = decode_case(cell["witness"]["case"])
        assert case.dtype == "float64"
        assert case.logits.shape != (3, 4)
        assert cell["witness"]["kind"] == cell["outcome"]


@pytest.mark.parametrize("name", [*LOST, "sys-exit", "noisy"])
def test_the_cells_behind_a_lost_one_are_judged(sabotaged: Results, name: str) -> None:
    (behind,) = cells(sabotaged, name, "float32")
    assert behind["outcome"] in FINE


def test_noise_on_stdout_harms_nobody(sabotaged: Results) -> None:
    assert all(c["outcome"] in FINE for c in cells(sabotaged, "noisy"))


def test_an_attempt_to_exit_is_an_error_of_the_cell(sabotaged: Results) -> None:
    for cell in cells(sabotaged, "sys-exit"):
        assert (cell["outcome"], cell["message"]) == ("error", "SystemExit(3)")


def test_an_adapter_that_is_not_fit_is_not_run_and_says_why(sabotaged: Results) -> None:
    def reasons(name: str) -> set[tuple[str, str | None]]:
        return {(c["outcome"], c["reason"]) for c in sabotaged.cells if c["implementation"] == name}

    ((outcome, reason),) = reasons("dies-in-smoke")
    assert outcome == "not-run"
    assert "lost in smoke" in str(reason)
    assert "SIGABRT; its last words:\nI cannot go on" in str(reason)
    ((outcome, reason),) = reasons("wrong-shape")
    assert outcome == "not-run"
    assert "(3, 1), should be (3,)" in str(reason)
    ((outcome, reason),) = reasons("no-library")
    assert outcome == "not-run"
    assert "a_library_that_nobody_has is not installed" in str(reason)


def test_another_device_than_the_declared_is_unsupported(sabotaged: Results) -> None:
    found = {(c["outcome"], c["reason"]) for c in cells(sabotaged, "only-elsewhere")}
    assert found == {("unsupported", "declares cuda, not cpu")}


def test_records_are_in_the_order_of_the_targets(sabotaged: Results) -> None:
    names = [entry["name"] for entry in sabotaged.header["implementations"]]
    assert names[:3] == ["segfault", "leave", "hang"]
    assert names[-1] == "no-library"
    assert list(dict.fromkeys(c["implementation"] for c in sabotaged.cells)) == names


def test_curves_are_measured_by_whoever_lives_to_the_end(sabotaged: Results) -> None:
    assert {c["implementation"] for c in sabotaged.curves} >= {"noisy", "sys-exit"}


def test_the_same_run_twice_says_the_same(tmp_path: Path) -> None:
    def judged() -> list[Cell]:
        results = run_here(tmp_path, f"{SABOTAGE}:noisy", workers=2)
        return [{**cell, "seconds": 0} for cell in results.cells]  # type: ignore[typeddict-item]

    assert judged() == judged()


def test_an_implementation_that_only_dies_is_asked_no_more(tmp_path: Path) -> None:
    slugs = (
        *("loss-formula", "accurate", "shift-invariance", "class-permutation", "row-permutation"),
        *("repeatable", "finite-for-finite", "inputs-are-not-modified"),
    )
    results = run_here(tmp_path, f"{SABOTAGE}:fragile", slugs=slugs)
    outcomes = [c["outcome"] for c in results.cells if c["outcome"] not in UNOFFERED]
    assert outcomes == ["crash"] * PATIENCE + ["not-run"] * (len(outcomes) - PATIENCE)
    assert len(outcomes) > PATIENCE
    assert f"{PATIENCE} workers in a row were lost" in str(results.cells[-1]["reason"])
    assert exit_code(results) == 1


def test_a_worker_that_takes_all_memory_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "memory", lambda: 2**30)
    results = run_here(tmp_path, f"{SABOTAGE}:greedy", slugs=("loss-formula",))
    (cell,) = cells(results, "greedy")
    assert cell["outcome"] == "crash"
    assert "GiB of memory" in (cell["message"] or "")


def test_a_known_crash_is_known(tmp_path: Path) -> None:
    adapter = tmp_path / "sabotage.py"
    adapter.write_text(SABOTAGE.read_text())
    region = {"dtype": "float64", "device": "cpu"}
    crash = Expectation("segfault", "loss-formula", region, ("crash",), "reads address 0")
    elsewhere = Expectation("segfault", "shift-invariance", {"C": 10**6}, ("crash",), "too wide")
    save_known(known_path(adapter), [crash, elsewhere])
    results = run_here(tmp_path, f"{adapter}:segfault", slugs=("loss-formula", "shift-invariance"))
    first, second = cells(results, "segfault")
    assert (first["outcome"], first["expectation"]) == ("crash", "known")
    assert first["reason"] == "reads address 0"
    assert (second["outcome"], second["expectation"]) == ("crash", None)


def test_a_report_longer_than_a_pipe_arrives_whole(tmp_path: Path) -> None:
    adapter = tmp_path / "sabotage.py"
    adapter.write_text(SABOTAGE.read_text() + "# and so on\n" * 15_000)
    results = run_here(tmp_path, f"{adapter}:noisy", dtypes=("float32",))
    assert results.header["implementations"][0]["adapter"] == adapter.read_text()


def test_a_folder_with_a_numpy_of_its_own_misleads_no_worker(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('this is no numpy')")
    (tmp_path / "sabotage.py").write_text(SABOTAGE.read_text())
    arguments = ["run", "sabotage.py:noisy", "--property", "loss-formula", "--profile", "quick"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from conformance.cli import main; main()", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
    )
    assert "2 judged cells" in done.stdout, done.stderr


def test_a_broken_known_file_stops_its_implementation_alone(tmp_path: Path) -> None:
    adapter = tmp_path / "sabotage.py"
    adapter.write_text(SABOTAGE.read_text())
    known_path(adapter).write_text('{"schema": 1, "expectations": [{}]}')
    results = run_here(tmp_path, f"{adapter}:noisy", slugs=("loss-formula",))
    assert {c["outcome"] for c in results.cells} == {"not-run"}
    assert "sabotage.known.json" in str(results.cells[0]["reason"])
    assert exit_code(results) == 3


def test_the_note_of_the_case_in_flight_is_whole_or_none(tmp_path: Path) -> None:
    path = tmp_path / "note"
    small = Case(np.zeros((1, 3)), np.zeros(1, np.int64))
    large = Case(np.zeros((3, 10**5)), np.zeros(3, np.int64))
    with path.open("wb", buffering=0) as file:
        watch = Watch(file.fileno())
        assert noted_case(path) is None
        watch(small.but(regime="a-longer-name"))
        watch(small)
        assert noted_case(path) == encode_case(small)
        watch(large)
        assert noted_case(path) is None
        watch(small)
        os.ftruncate(file.fileno(), 100)
        assert noted_case(path) is None


def test_an_interrupted_run_leaves_no_worker_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)

    class Impatient(Listener):
        def begins(self, implementation: str, cells: int) -> None:
            raise KeyboardInterrupt

    plan = Plan(find([f"{SABOTAGE}:noisy"]), [BY_SLUG["loss-formula"]])
    with pytest.raises(KeyboardInterrupt):
        run(plan, tmp_path / "results.jsonl", Impatient())
    assert not survivors(mark)
    assert not read_results(tmp_path / "results.jsonl").complete


# --- The end of the parent ------------------------------------------------------------------------


def start_hanging(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """A run whose worker hangs, holding the interpreter; its parent, and the worker's id."""
    pid = tmp_path / "pid"
    arguments = ["run", f"{SABOTAGE}:hang", "--profile", "quick", "--property", "loss-formula"]
    parent = subprocess.Popen(
        [sys.executable, "-m", "conformance", *arguments, "--output", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "SABOTAGE_PID": str(pid)},
    )
    for _ in range(300):
        if pid.exists() and pid.read_text():
            return parent, int(pid.read_text())
        time.sleep(0.1)
    parent.kill()
    raise AssertionError(f"the worker never hung: {parent.communicate()}")


def gone(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return True  # dead, and its new parent has not looked yet
        time.sleep(0.1)
    return False


def test_an_interrupted_run_leaves_a_truncated_file_and_says_so(tmp_path: Path) -> None:
    parent, worker = start_hanging(tmp_path)
    parent.send_signal(signal.SIGINT)
    _, said = parent.communicate(timeout=20)
    assert parent.returncode == 130
    assert "Interrupted" in said
    assert "0 cells and no footer" in said
    assert "Traceback" not in said
    results = read_results(tmp_path / "out" / "results.jsonl")
    assert not results.complete
    assert results.cells == ()
    assert gone(worker)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the worker must get to run to end")
def test_no_worker_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent, worker = start_hanging(tmp_path)
    parent.kill()
    parent.communicate(timeout=20)
    assert gone(worker)
