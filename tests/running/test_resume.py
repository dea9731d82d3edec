"""However a run ended, its file says so, and --resume makes of it what an undisturbed run is."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance import cli
from conformance.cli import main
from conformance.commands import command
from conformance.contract.discovery import find
from conformance.properties import BY_SLUG
from conformance.records.results import Results, read_results
from conformance.records.schema import to_json
from conformance.running.interrupt import Interrupted
from conformance.running.process import interpreter
from conformance.running.resume import take_up
from conformance.running.runner import PATIENCE, Plan
from conformance.running.runner import run as run_plan

HERE = Path(__file__).parent
TARGETS = (f"{HERE}/held.py:first", f"{HERE}/held.py:second")
OPTIONS = ("--profile", "quick", "--property", "loss-formula", "--property", "shift-invariance")


def conformance(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def run(folder: Path, *more: object, targets: tuple[str, ...] = TARGETS) -> Result:
    return conformance("run", *targets, *OPTIONS, "--output", folder, *more)


def verdicts(results: Results) -> list[object]:
    """Everything but how long it took."""
    return [{**cell, "seconds": 0} for cell in (*results.cells, *results.curves)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    done = run(folder)
    assert done.exit_code in (0, 1), done.output
    return folder / "results.jsonl"


@pytest.fixture
def cut(whole: Path, tmp_path: Path) -> Path:
    """The same after its first three records."""
    return save(tmp_path / "results.jsonl", whole.read_bytes().splitlines(keepends=True)[:4])


def save(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def changed(path: Path, **fields: Any) -> None:
    """Give a file's header other fields."""
    head, *lines = path.read_bytes().splitlines(keepends=True)
    header = json.loads(head)
    save(path, [(to_json(header | fields) + "\n").encode(), *lines])


# --- Going on -------------------------------------------------------------------------------------


def as_interrupted(lines: list[bytes], rng: random.Random) -> bytes:
    """A file that a run may have left at some moment: workers race, an implementation joins late,
    and the last line may be cut anywhere."""
    header, *records = [json.loads(line) for line in lines[:-1]]
    names = [entry["name"] for entry in header["implementations"]]
    by_name = {name: [r for r in records if r["implementation"] == name] for name in names}
    joined = rng.sample(sorted(by_name), rng.randint(0, len(by_name)))
    header["implementations"] = [e for e in header["implementations"] if e["name"] in joined]
    queues = [by_name[name][: rng.randint(0, len(by_name[name]))] for name in joined]
    body = []
    while any(queues):
        body.append(rng.choice([queue for queue in queues if queue]).pop(0))
    content = [(to_json(record) + "\n").encode() for record in (header, *body)]
    last = content.pop() if body else b""
    return b"".join(content) + last[: rng.randint(0, len(last))]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 8))]
)
def test_a_resumed_run_is_the_undisturbed_one(whole: Path, tmp_path: Path, seed: int) -> None:
    path, lines = tmp_path / "results.jsonl", whole.read_bytes().splitlines(keepends=True)
    path.write_bytes(as_interrupted(lines, random.Random(seed)))
    before = read_results(path)
    done = run(tmp_path, "--resume", "--workers", 2)
    after, undisturbed = read_results(path, strict=True), read_results(whole)
    assert verdicts(after) == verdicts(undisturbed)
    assert done.exit_code == run(whole.parent, "--resume").exit_code
    kept = [to_json(record) for record in (*before.cells, *before.curves)]
    assert set(path.read_text().splitlines()) >= set(kept)
    assert after.header["run"] == before.header["run"]


def test_a_complete_run_is_left_as_it_is(whole: Path) -> None:
    before = whole.read_bytes()
    done = run(whole.parent, "--resume")
    assert "is complete: nothing is missing" in done.stdout
    assert "judged cells" in done.stdout
    assert whole.read_bytes() == before


def test_curves_alone_are_measured_if_they_are_missing(whole: Path, tmp_path: Path) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    path = save(tmp_path / "results.jsonl", [x for x in lines[:-1] if b'"kind": "curve"' not in x])
    assert read_results(path).curves == ()
    run(tmp_path, "--resume")
    assert verdicts(read_results(path, strict=True)) == verdicts(read_results(whole))


@pytest.mark.slow
def test_an_implementation_that_only_dies_is_asked_no_more_often(tmp_path: Path) -> None:
    slugs = ("accurate", "loss-formula", "class-permutation", "row-permutation", "repeatable")
    properties = [BY_SLUG[slug] for slug in (*slugs, "nan-is-kept", "finite-for-finite")]
    plan = Plan(find([f"{HERE}/sabotage.py:fragile"]), properties, profile="quick", shrink=0)
    path = tmp_path / "results.jsonl"

    def outcomes(kept: Results | None = None) -> list[str]:
        run_plan(plan, path, Silent(), kept)
        return [cell["outcome"] for cell in read_results(path, strict=True).cells]

    whole = outcomes()
    assert whole.count("crash") == PATIENCE
    assert "not-run" in whole
    save(path, path.read_bytes().splitlines(keepends=True)[:4])
    assert outcomes(take_up(plan, path)) == whole


class Silent:
    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: object) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


# --- Another run ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--seed", 7), "seed (0 and 7)"),
        (("--profile", "deep"), "profile (quick and deep)"),
        (("--property", "accurate"), "than this: properties."),
        (("--shard", "1/2"), "shard (none and 1/2)"),
        (("--device", "cuda"), "device (cpu and cuda)"),
        (("--dtype", "float32"), "dtype (float64 and float32)"),
    ],
)
def test_a_command_that_is_of_another_run_is_refused(
    cut: Path, more: tuple[object, ...], says: str
) -> None:
    refused(cut, says, *more)


def refused(path: Path, says: str, *more: object, **options: Any) -> None:
    before = path.read_bytes()
    done = run(path.parent, "--resume", *more, **options)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert done.stderr.count("Error:") == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"suite": {"version": "0.0.1", "commit": None}}, "suite (0.0.1 none and "),
        ({"packages": {"numpy": "1.0"}}, "numpy (1.0 and 2."),
        ({"packages": {"mylib": "1.0"}}, "mylib (1.0 and none)"),
    ],
)
def test_another_environment_is_refused(cut: Path, fields: dict[str, Any], says: str) -> None:
    changed(cut, **fields)
    refused(cut, says)


def test_another_machine_is_refused(cut: Path) -> None:
    host = read_results(cut).header["host"]
    changed(cut, host=host | {"processor": "Z80"})
    refused(cut, "processor (Z80 and ")
    changed(cut, host=host | {"platform": "the kernel was updated", "cores": 99})
    assert run(cut.parent, "--resume").exit_code in (0, 1)


def test_other_implementations_are_refused(whole: Path, cut: Path) -> None:
    refused(cut, "it asked first, too", targets=TARGETS[1:])
    more = (*TARGETS, f"{HERE}/sabotage.py:noisy")
    refused(whole, "it is complete without noisy", targets=more)


def test_an_adapter_that_was_changed_is_refused(cut: Path) -> None:
    entries = read_results(cut).header["implementations"]
    changed(cut, implementations=[e | {"adapter": "def first(): ..."} for e in entries])
    refused(cut, "first is not what it was: adapter.")


def test_without_a_file_there_is_nothing_to_resume(tmp_path: Path) -> None:
    done = run(tmp_path, "--resume")
    assert done.exit_code == 2
    assert "there is no" in done.stderr
    (tmp_path / "results.jsonl").write_text("hello\n")
    done = run(tmp_path, "--resume")
    assert done.exit_code == 3
    assert "not JSON" in done.stderr


# --- The end of a run -----------------------------------------------------------------------------


def start_held(tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    """A run that has judged every cell of the first implementation in float64, and waits."""
    held = tmp_path / "held"
    arguments = ["run", *TARGETS, *OPTIONS, "--output", str(tmp_path), *more]
    parent = subprocess.Popen(
        [*interpreter("conformance.__main__"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "HOLD": str(held)},
    )
    for _ in range(600):
        if held.exists():
            return parent
        time.sleep(0.1)
    parent.kill()
    raise AssertionError(f"the worker never waited: {parent.communicate()}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_run_that_is_ended_says_so_and_can_go_on(
    tmp_path: Path, whole: Path, number: signal.Signals
) -> None:
    parent = start_held(tmp_path)
    for _ in range(5):  # impatiently
        parent.send_signal(number)
        time.sleep(0.01)
    _, said = parent.communicate(timeout=60)
    path = tmp_path / "results.jsonl"
    assert parent.returncode == 128 + number
    assert said.splitlines()[-1] == (
        f"Interrupted; {path} is truncated, with 2 cells and no footer: --resume runs the rest."
    )
    assert "Traceback" not in said
    assert len(read_results(path).cells) == 2
    assert run(tmp_path, "--resume").exit_code in (0, 1)
    assert verdicts(read_results(path, strict=True)) == verdicts(read_results(whole))


def test_a_folder_in_which_a_run_is_writing_is_not_written_to(tmp_path: Path) -> None:
    parent = start_held(tmp_path)
    try:
        for more in ((), ("--resume",)):
            done = run(tmp_path, *more)
            assert done.exit_code == 2
            assert "another run is writing" in done.stderr
    finally:
        parent.kill()
        parent.communicate()
    assert len(read_results(tmp_path / "results.jsonl").cells) == 2


def test_a_run_that_is_ended_before_it_began_leaves_an_older_file(
    cut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        raise Interrupted(signal.SIGTERM)

    before = cut.read_bytes()
    monkeypatch.setattr(cli, "run_plan", end)
    done = run(cut.parent)
    assert (done.exit_code, cut.read_bytes()) == (143, before)
    assert "Interrupted; nothing was written." in done.stderr
    monkeypatch.setattr(cli, "begin", end)
    done = run(cut.parent)
    assert (done.exit_code, done.stderr) == (143, "Interrupted.\n")


def test_a_page_that_is_not_made_harms_no_results(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, code, says in (
        (Interrupted(), 130, f"Interrupted; {whole} is complete"),
        (OSError(errno.ENOSPC, "No space left"), 3, "index.html: cannot be written: No space left"),
    ):

        def fail(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(cli, "build_report", fail)
        done = run(whole.parent, "--resume")
        assert done.exit_code == code
        assert says in done.stderr
        assert f"`conformance report {whole}` makes its page" in done.stderr
        assert read_results(whole).complete


def test_a_mistake_leaves_an_older_file(cut: Path) -> None:
    before = cut.read_bytes()
    for more in (("--property", "unknown"), ("--shard", "3/2"), ("nobody",), ("--seed", "x")):
        assert run(cut.parent, *more).exit_code == 2
        assert cut.read_bytes() == before


# --- A full disk ----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file may become larger than 20 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_is_said_before_work_starts(small_disk: None, tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "cannot be written: File too large; name another folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_disk_that_fills_up_ends_the_run_and_keeps_what_was_there(
    small_disk: None, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_ROOM", 1000)
    done = run(tmp_path)
    path = tmp_path / "results.jsonl"
    assert done.exit_code == 3, done.output
    assert f"Error: {path}: cannot be written: File too large; {path} is truncated" in done.stderr
    kept = read_results(path)
    assert kept.cells
    assert not kept.complete
    resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
    run(tmp_path, "--resume")
    assert verdicts(read_results(path, strict=True)) == verdicts(read_results(whole))


def test_ctrl_c_is_heard_while_the_suite_is_still_being_imported(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{HERE.parents[1]}"}
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "list"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")
