"""A replay says what happens now, however it ends, and leaves nothing behind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from survivors import MARK, survivors

from conformance.cases.case import Case
from conformance.cli import main
from conformance.commands.replay import replay
from conformance.records.schema import to_json
from conformance.records.witness import encode_case

ADAPTER = """
import os
import subprocess
import sys
import time

import numpy as np

from conformance import implementation


@implementation("mine", distribution="numpy", dtypes=("float32",))
def mine(logits, target, *, reduction="mean"):
    SABOTAGE
    rows = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(target)), target]
    return rows if reduction == "none" else getattr(rows, reduction)(dtype=logits.dtype)
"""


def witness(**fields: Any) -> dict[str, Any]:
    case = Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="none")
    return {
        "schema": 1,
        "suite": "0.0.1",
        "implementation": "mine",
        "device": "cpu",
        "dtype": "float32",
        "property": "loss-formula",
        "kind": "wrong",
        "message": "the loss is \x1b[31mwrong",
        "expected": None,
        "got": None,
        "versions": {"numpy": "0.9"},
        "case": encode_case(case),
    } | fields


@pytest.mark.parametrize(
    ("sabotage", "code", "says"),
    [
        ("pass", 0, "now:      it holds"),
        ("logits = logits * 2 + np.arange(2, dtype='f4')", 1, r"now:      the loss.* should be"),
        ("raise ValueError('no \x1b[31m')", 1, r"now:      raised ValueError: no \\u001b"),
        ("os.abort()", 1, "now:      the process was killed by SIGABRT"),
        ("os._exit(0)", 1, "now:      the process exited with status 0 instead of answering"),
        ("return 5", 3, "returned int where an array belongs"),
        ("sys.stdin.read()", 0, "now:      it holds"),
    ],
)
def test_a_replay_says_how_it_ends(
    sabotage: str, code: int, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    adapter = tmp_path / "mine.py"
    adapter.write_text(ADAPTER.replace("SABOTAGE", sabotage.replace("\x1b", "\\x1b")))
    assert replay(witness(), str(adapter), timeout=120) == code
    said = "".join(capfd.readouterr())
    assert re.search(says, said), said
    assert "recorded: the loss is \\u001b[31mwrong" in said
    assert "\x1b" not in said
    assert "note:     recorded with the suite 0.0.1, here is" in said
    assert f"note:     recorded with numpy 0.9, here is {np.__version__}" in said


def test_a_replay_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, "replay-that-hangs")
    adapter = tmp_path / "mine.py"
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    adapter.write_text(ADAPTER.replace("SABOTAGE", f"{child}\n    while True: time.sleep(1)"))
    assert replay(witness(), str(adapter), timeout=3) == 1
    assert "now:      no answer within 3 s" in capfd.readouterr().out
    assert not survivors("replay-that-hangs")


def test_what_cannot_be_replayed_is_said(tmp_path: Path) -> None:
    adapter = tmp_path / "mine.py"
    stable = "logits = logits - logits.max(1, keepdims=True)"
    adapter.write_text(ADAPTER.replace("SABOTAGE", stable))
    options = ["--property", "loss-formula", "--property", "weight-formula", "--profile", "quick"]
    done = CliRunner().invoke(main, ["run", str(adapter), *options, "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    for slug, says in (
        ("loss-formula", r"passed \d+ cases in this run, so there is no case to replay"),
        ("weight-formula", r"ended as unsupported .*weight.*, so there is no case to replay"),
        ("loss-formul", "has no failing case mine/cpu/float32/loss-formul"),
    ):
        cell = ["--cell", f"mine/cpu/float32/{slug}"]
        done = CliRunner().invoke(main, ["replay", str(tmp_path / "results.jsonl"), *cell])
        assert done.exit_code == 2
        assert re.search(says, done.stderr), done.stderr


def test_a_timeout_is_taken_from_the_command_line(tmp_path: Path) -> None:
    adapter = tmp_path / "mine.py"
    adapter.write_text(ADAPTER.replace("SABOTAGE", "time.sleep(600)"))
    file = tmp_path / "witness.json"
    file.write_text(to_json(witness()))
    command = ["replay", str(file), "--adapter", str(adapter), "--timeout", "3"]
    assert CliRunner().invoke(main, command).exit_code == 1
