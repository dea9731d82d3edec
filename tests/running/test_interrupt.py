"""The parent of a run is ended at a random moment: what is on disk never claims to be complete and
is not, nobody is left running, and the run can be taken up again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from survivors import MARK, survivors

from conformance.records.results import read_results
from conformance.records.schema import schema

HERE = Path(__file__).parent
ARGUMENTS = (
    "run",
    # First those who leave somebody behind, who would still be there at any moment after.
    *(f"{HERE}/saboteurs/leaving.py:{name}" for name in ("child_of_its_own", "daemon", "child")),
    *("numpy-stable", "scipy-log-softmax"),
    *("--dtype", "float64", "--profile", "quick", "--workers", "2"),
    *("--property", "loss-formula", "--property", "repeatable", "--property", "accurate"),
)
VALIDATOR = jsonschema_rs.validator_for(schema())  # not the library that wrote the records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="who is left running is read from /proc"),
]


def start(folder: Path, *more: str, mark: str = "") -> subprocess.Popen[str]:
    code = "from conformance.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *ARGUMENTS, "--output", str(folder), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, MARK: mark, "PYTHONPATH": f"{HERE.parents[1]}{os.pathsep}{HERE}"},
    )


@dataclass
class Undisturbed:
    """A run that nobody ended: what it says, and how long it took."""

    verdicts: dict[str, Any]
    seconds: float
    """From its start to its end."""
    writing: float
    """From the first record to its end."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    began = time.monotonic()
    parent = start(folder)
    wait_for(folder / "results.jsonl", parent)
    first = time.monotonic()
    out, err = parent.communicate(timeout=120)
    assert parent.returncode == 0, out + err
    verdicts = counted(folder / "results.jsonl")
    assert verdicts
    end = time.monotonic()
    return Undisturbed(verdicts, end - began, end - first)


def wait_for(path: Path, parent: subprocess.Popen[str]) -> None:
    while not path.exists() and parent.poll() is None:
        time.sleep(0.01)


def counted(path: Path) -> dict[str, Any] | None:
    """The verdicts in a file that counts as complete, once every record and every count in it has
    been found true; None for one that does not, whose records are as true."""
    *lines, rest = path.read_bytes().split(b"\n") if path.exists() else [b""]
    records = [json.loads(line) for line in lines]
    for record in records:
        VALIDATOR.validate(record)
    if not records or records[-1]["kind"] != "footer":
        return None
    assert rest == b""
    footer, cells = records[-1], [record for record in records if record["kind"] == "cell"]
    assert footer["cells"] == len(cells) == len({cell["id"] for cell in cells})
    assert footer["outcomes"] == Counter(cell["outcome"] for cell in cells)
    failed = [
        c for c in cells if c["outcome"] not in ("pass", "unsupported", "inapplicable", "not-run")
    ]
    assert footer["unexpected"] == len([c for c in failed if not c["expectation"]])
    return {c["id"]: (c["outcome"], c["expectation"], c["corpus"], c["examples"]) for c in cells}


@dataclass
class Ended:
    """A run that was ended before its time, or just after."""

    status: int
    said: str
    path: Path


def end(
    folder: Path, number: signal.Signals, undisturbed: Undisturbed, *, writing: bool = False
) -> Ended:
    """Start a run and end it at a random moment (``writing``: after its first record); what is left
    on disk is honest, and nobody is left running."""
    mark, path = uuid.uuid4().hex, folder / "results.jsonl"
    moment = random.uniform(0, undisturbed.writing if writing else undisturbed.seconds)
    parent = start(folder, mark=mark)
    if writing:
        wait_for(path, parent)
    time.sleep(moment)
    parent.send_signal(number)
    said = "".join(parent.communicate(timeout=60))
    left = survivors(mark)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    said = f"{number.name} after {moment:.3f} s: {said}"
    assert left == {}, said
    verdicts = counted(path)
    assert verdicts in (None, undisturbed.verdicts), said
    if path.exists():
        assert read_results(path).complete == (verdicts is not None), said
    return Ended(parent.returncode, said, path)


def taken_up(ended: Ended) -> dict[str, Any] | None:
    """The verdicts once the run was taken up again, or begun, and came to its end."""
    parent = start(ended.path.parent, *(["--resume"] if ended.path.exists() else []))
    said = "".join(parent.communicate(timeout=120))
    assert parent.returncode == 0, ended.said + said
    return counted(ended.path)


MOMENTS = [
    *range(3),
    *(pytest.param(n, marks=pytest.mark.nightly) for n in range(3, 20)),
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_claims_nothing_leaves_nobody_and_can_be_taken_up(
    tmp_path: Path, undisturbed: Undisturbed, moment: int
) -> None:
    killed = end(tmp_path, signal.SIGKILL, undisturbed)
    assert taken_up(killed) == undisturbed.verdicts, killed.said


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_run_that_is_asked_to_end_says_what_it_leaves(
    tmp_path: Path, undisturbed: Undisturbed, number: signal.Signals, moment: int
) -> None:
    ended = end(tmp_path, number, undisturbed, writing=True)
    assert ended.status in (0, 128 + number), ended.said
    assert "Traceback" not in ended.said
    if ended.status:
        complete = counted(ended.path) is not None
        assert ("is complete" if complete else "is truncated") in ended.said
    assert taken_up(ended) == undisturbed.verdicts, ended.said
