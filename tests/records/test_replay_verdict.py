"""A replay script knows whether the fault is still there: its exit code says so."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from test_replay_script import NUMPY_ADAPTER, gap, run, witness

from conformance.cases.case import Case
from conformance.records.replay_script import replay_script

RIGHT, WRONG = "0.69314718 ± 1e-6", "0.5 ± 1e-6"


@pytest.mark.parametrize(
    ("fields", "shows_it"),
    [
        ({"expected": WRONG, "got": "0.6931471824645996"}, True),
        ({"expected": RIGHT, "got": "0.5"}, False),
        ({"expected": "0.5", "got": "0.6931472", "message": "the loss[0] differs"}, True),
        ({"expected": "0.5", "got": "0.6931472", "message": "the loss[1] differs"}, False),
        ({"expected": ">= 2.0", "got": "0.5"}, True),
        ({"expected": ">= 0.5", "got": "0.0"}, False),
        ({"expected": "nan", "got": "0.0"}, True),
        ({"expected": None, "got": "[0.6931472 -inf]"}, False),
        ({"expected": None, "got": "[0.6931472]"}, True),
        ({"expected": None, "got": None}, False),
        ({"kind": "raised", "got": "IndexError: 7", "expected": None}, False),
        ({"kind": "shape", "got": "shape (1,)"}, True),
        ({"kind": "shape", "got": "shape ()"}, False),
        ({"kind": "dtype", "got": "float32"}, True),
        ({"kind": "modified", "got": ""}, False),
        ({"kind": "accepted", "got": "0.69"}, False),  # only the valid question was answered
        ({"kind": "crash", "expected": None, "got": None}, False),
    ],
)
def test_the_exit_code_says_whether_the_fault_is_there(
    fields: dict[str, Any], shows_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="none")
    about = witness(case, **{"kind": "wrong"} | fields)
    alone = ModuleType("script")
    for name in ("script", "conformance"):  # which the script replaces by itself
        monkeypatch.setitem(sys.modules, name, alone)
    with np.errstate(), np.printoptions(), pytest.raises(SystemExit) as ended:
        exec(replay_script(about, NUMPY_ADAPTER), alone.__dict__)
    assert ended.value.code == shows_it


@pytest.mark.parametrize(("got", "shows_it"), [("1.0", True), ("0.25", False), ("-1.0", False)])
def test_a_sum_is_looked_for_among_sums(got: str, shows_it: bool, tmp_path: Path) -> None:
    """The gradient is [[0.5, 0.5]]."""
    case = Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="none")
    about = witness(
        case,
        kind="wrong",
        message=f"row 0 of the gradient sums to {got}, should be 0 ± 1e-7",
        expected=None,
        got=f"np.float64({got})",
        asked=[{"question": "gradient", "case": None}],
    )
    run(replay_script(about, NUMPY_ADAPTER), tmp_path, shows_it=shows_it)


def test_an_input_that_is_written_over_shows(tmp_path: Path) -> None:
    adapter = NUMPY_ADAPTER.replace("    p = softmax", "    logits *= 2\n    p = softmax")
    asked = [{"question": "inputs after the loss", "case": None}]
    about = witness(gap(), asked=asked, kind="modified")
    run(replay_script(about, adapter), tmp_path, shows_it=True)


def test_a_flaky_answer_is_asked_for_several_times(tmp_path: Path) -> None:
    third = NUMPY_ADAPTER + (
        "\n\nsteady, times = cross_entropy.function, []\n\n\n"
        "def sometimes(logits, target, *, reduction='mean'):\n"
        "    times.append(None)\n"
        "    return steady(logits, target, reduction=reduction) + (len(times) == 3)\n\n\n"
        "cross_entropy.function = sometimes\n"
    )
    about = witness(gap(reduction="none"), got="inf", again="104.0", expected=None)
    out = run(replay_script(about, third), tmp_path, shows_it=False)  # inf + 1 is inf
    assert out.count(" loss: [inf]") == 5
    assert "in the run: inf" in out
    assert "and again: 104.0" in out
    small = Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="none")
    out = run(replay_script(witness(small, again="0.6"), third), tmp_path, shows_it=True)
    assert out.count("loss: [0.69") == 4
    assert out.count("loss: [1.69") == 1


@pytest.mark.parametrize(
    ("deed", "changed"),
    [
        ("pass", ""),
        ("np.seterr(over='raise')", "NumPy's error mode"),
        ("np.random.seed(0)", "NumPy's random state"),
        ("sys.setrecursionlimit(12345)", "the recursion limit"),
    ],
)
def test_a_setting_that_was_changed_shows(deed: str, changed: str, tmp_path: Path) -> None:
    adapter = NUMPY_ADAPTER.replace("    p = softmax", f"    {deed}\n    p = softmax")
    asked = [{"question": "settings after the calls", "case": None}]
    about = witness(gap(), asked=asked, kind="modified")
    out = run(replay_script(about, f"import sys\n{adapter}"), tmp_path, shows_it=bool(changed))
    assert f"changed {changed}" in out if changed else "as before" in out


def test_an_exception_where_settings_were_to_be_looked_at_shows(tmp_path: Path) -> None:
    adapter = NUMPY_ADAPTER.replace(
        "    p = softmax", "    raise ValueError('no')\n    p = softmax"
    )
    asked = [{"question": "settings after the calls", "case": None}]
    about = witness(gap(), asked=asked, kind="raised", got="ValueError: no")
    out = run(replay_script(about, adapter), tmp_path, shows_it=True)
    assert "raised ValueError: no" in out


@pytest.mark.parametrize("exception", ["out_of_range", "length_error"])
def test_a_type_of_another_language_is_told_from_its_neighbours(
    exception: str, tmp_path: Path
) -> None:
    raising = f"raise type('std::{exception}', (Exception,), {{}})('7')"
    adapter = NUMPY_ADAPTER.replace("    p = softmax", f"    {raising}\n    p = softmax")
    about = witness(gap(), kind="raised", got="std::out_of_range: 8", expected=None)
    run(replay_script(about, adapter), tmp_path, shows_it=exception == "out_of_range")
