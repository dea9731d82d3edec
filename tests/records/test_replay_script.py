"""Replay scripts run with NumPy and the library alone, and say what the witness says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conformance.cases.case import Case
from conformance.cases.layouts import LAYOUTS
from conformance.records.replay_script import literal, replay_case, replay_prelude, replay_script
from conformance.records.witness import encode_case

NUMPY_ADAPTER = '''
"""A naive loss, as an adapter."""

from __future__ import annotations

import numpy as np

from conformance import implementation


@implementation("naive", distribution="numpy", dtypes=("float32", "bfloat16"))
def cross_entropy(logits, target, *, weight=None, reduction="mean"):
    p = softmax(logits)
    loss = -np.log(p[np.arange(len(target)), target])
    if weight is not None:
        loss = loss * weight[target]
    return loss if reduction == "none" else loss.mean(dtype=logits.dtype)


@cross_entropy.vjp
def _(cotangent, logits, target, *, reduction="mean"):
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return p * cotangent.reshape(-1, 1)


@cross_entropy.softmax
def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@cross_entropy.nll_loss
def nll_loss(log_p, target, *, reduction="mean"):
    rows = -log_p[np.arange(len(target)), target]
    return rows if reduction == "none" else rows.mean()
'''

TORCH_ADAPTER = """
import torch.nn.functional as F

from conformance import implementation


@implementation("torch-fused", framework="torch", options=("weight", "reduction"))
def cross_entropy(logits, target, **options):
    return F.cross_entropy(logits, target, **options)
"""

MLX_ADAPTER = """
import mlx.core as mx

from conformance import implementation


@implementation("mlx-by-hand", framework="mlx", options=("reduction",))
def cross_entropy(logits, target, **options):
    return -mx.sum(target * (logits - mx.logsumexp(logits, axis=1, keepdims=True)))
"""

TINYGRAD_ADAPTER = """
from conformance import implementation


@implementation("tinygrad-fused", framework="tinygrad", options=("reduction",))
def cross_entropy(logits, target, **options):
    return logits.cross_entropy(target, **options)
"""


def witness(case: Case, **fields: Any) -> dict[str, Any]:
    return {
        "implementation": "naive",
        "device": "cpu",
        "dtype": case.dtype,
        "property": "loss-formula",
        "message": "the loss is inf, should be 104",
        "expected": "104.0",
        "got": "inf",
        "case": encode_case(case),
    } | fields


ALONE = 'assert sys.modules["conformance"].__name__ == "__main__"'


def run(script: str, folder: Path, *, shows_it: bool | None = None) -> str:
    """Output of a script in a fresh, isolated interpreter that cannot import the suite."""
    alone = script.replace("\nend(", f"\n{ALONE}\nend(")
    assert ALONE in alone
    (folder / "replay.py").write_text(alone, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "replay.py"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, 1), done.stderr
    assert not done.stderr, done.stderr
    assert done.returncode == ("it fails in the same way" in done.stdout)
    assert shows_it in (None, done.returncode == 1), done.stdout
    return done.stdout


def gap(dtype: Any = np.float32, **fields: Any) -> Case:
    return Case(np.array([[0, -104.5, 0.1]], dtype), np.array([1]), **fields)


def test_a_numpy_adapter_replays_without_the_suite(tmp_path: Path) -> None:
    out = run(replay_script(witness(gap(reduction="none")), NUMPY_ADAPTER), tmp_path)
    assert "loss: [inf]" in out
    assert "should be: 104.0" in out
    assert "in the run: inf" in out
    assert "gradient" not in out


def test_a_gradient_is_asked_with_the_cotangent_of_the_witness(tmp_path: Path) -> None:
    case = Case(
        np.zeros((2, 2), np.float32),
        np.array([0, 1]),
        reduction="none",
        cotangent=np.array([4, -2], np.float32),
    )
    about = witness(case, asked=[{"question": "gradient", "case": None}])
    out = run(replay_script(about, NUMPY_ADAPTER), tmp_path)
    assert "gradient: [[ 2.  2.]\n [-1. -1.]]" in out
    assert "loss:" not in out


def test_a_variation_of_the_case_is_asked_as_it_was(tmp_path: Path) -> None:
    drawn, varied = gap(reduction="none"), gap(reduction="sum").but(target=np.array([0]))
    asked = [
        {"question": "loss", "case": encode_case(varied)},
        {"question": "loss", "case": None},
        {"question": "loss", "case": encode_case(drawn)},
    ]
    out = run(replay_script(witness(drawn, asked=asked), NUMPY_ADAPTER), tmp_path)
    answers = [line.split(":")[1].strip()[:5] for line in out.splitlines()[:3]]
    assert answers == ["0.744", "0.744", "[inf]"]


def test_inputs_are_shown_after_the_call(tmp_path: Path) -> None:
    about = witness(gap(), asked=[{"question": "inputs after the loss", "case": None}])
    out = run(replay_script(about, NUMPY_ADAPTER), tmp_path)
    assert "input after: [[ 0.000e+00 -1.045e+02  1.000e-01]]" in out


@pytest.mark.parametrize(
    ("question", "answer"), [("reused-buffer loss", "0.744"), ("kept loss", "0.744")]
)
def test_a_call_is_replayed_in_its_own_way(question: str, answer: str, tmp_path: Path) -> None:
    asked = [{"question": question, "case": encode_case(gap().but(target=np.array([0])))}]
    out = run(replay_script(witness(gap(), asked=asked), NUMPY_ADAPTER), tmp_path)
    assert f"{question}: {answer}" in out


def test_the_last_rows_of_many_are_asked_of_the_gradient_with_its_cotangent() -> None:
    case = gap(reduction="none", cotangent=np.array([2], np.float32))
    script = replay_case(witness(case, asked=[{"question": "last-rows gradient", "case": None}]))
    assert "def last_rows(ask" in script
    assert "last_rows(fused.gradient), cotangent, logits, target, **options" in script


def test_options_that_are_no_numbers_are_asked_as_they_were(tmp_path: Path) -> None:
    adapter = NUMPY_ADAPTER.replace(
        'reduction="mean"):\n    p =',
        'reduction="mean", '
        'label_smoothing=0.0):\n    print("smoothing", label_smoothing, reduction)\n    p =',
    )
    odd = gap(label_smoothing=float("nan"), reduction="")
    about = witness(gap(), asked=[{"question": "loss", "case": encode_case(odd)}])
    assert "smoothing nan \n" in run(replay_script(about, adapter), tmp_path)


def test_stages_are_chained_where_the_witness_is_about_them(tmp_path: Path) -> None:
    case = Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="sum")
    about = witness(case, asked=[{"question": "softmax-log-nll loss", "case": None}])
    out = run(replay_script(about, NUMPY_ADAPTER), tmp_path)
    assert "softmax-log-nll loss: 0.6931" in out


def test_bfloat16_and_a_weight_replay(tmp_path: Path) -> None:
    weight = np.array([1, 2, 3], ml_dtypes.bfloat16)
    case = gap(ml_dtypes.bfloat16, reduction="none", weight=weight)
    assert "loss: [inf]" in run(replay_script(witness(case), NUMPY_ADAPTER), tmp_path)


def test_an_exception_is_printed_not_raised(tmp_path: Path) -> None:
    case = Case(np.zeros((1, 2), np.float32), np.array([7]))
    out = run(replay_script(witness(case), NUMPY_ADAPTER), tmp_path)
    assert "loss: raised IndexError" in out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_replays(layout: str, tmp_path: Path) -> None:
    case = Case(np.array([[0, 1], [0, 1]], np.float32), np.array([1, 1]), layout=layout)
    assert "loss: 0.313261" in run(replay_script(witness(case), NUMPY_ADAPTER), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_a_torch_adapter_replays_with_autograd(dtype: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    case = gap(dtype, reduction="none", cotangent=np.array([2], dtype))
    asked = [{"question": what, "case": None} for what in ("loss", "gradient")]
    about = witness(case, implementation="torch-fused", asked=asked)
    out = run(replay_script(about, TORCH_ADAPTER), tmp_path)
    assert "loss: [105" in out
    assert re.search(r"gradient: \[\[ ?0\.9\d* +-2", out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "adapter"),
    [("torch", TORCH_ADAPTER), ("mlx", MLX_ADAPTER), ("tinygrad", TINYGRAD_ADAPTER)],
)
def test_derivatives_beyond_the_gradient_replay_by_autograd(
    framework: str, adapter: str, tmp_path: Path
) -> None:
    pytest.importorskip(framework)
    q = np.array([[0.25, 0.75]], np.float32)
    case = Case(np.zeros((1, 2), np.float32), q, reduction="sum")
    questions = ["jvp", "hvp", "target gradient", "gradient after others"]
    if framework == "tinygrad":  # which has no forward mode
        questions.remove("jvp")
    about = witness(case, asked=[{"question": what, "case": None} for what in questions])
    out = run(replay_script(about, adapter), tmp_path)
    p, v = np.full(2, 0.5), case.tangent[0].astype(float)
    jvp = re.search(r" jvp: (.*)", out)
    assert bool(jvp) == ("jvp" in questions)
    assert jvp is None or np.isclose(float(jvp[1]), (p - q[0]) @ v)
    for what, values in {
        "hvp": p * (v - p @ v),
        "target gradient": -np.log(p),
        "gradient after others": p - q[0],
    }.items():
        numbers = re.search(rf"^ *{what}: \[\[(.*)\]\]", out, re.MULTILINE)
        assert numbers
        np.testing.assert_allclose([float(n) for n in numbers[1].split()], values, rtol=1e-6)


def test_the_two_halves_make_the_whole() -> None:
    about = witness(gap())
    whole = replay_script(about, NUMPY_ADAPTER)
    assert whole == replay_prelude(NUMPY_ADAPTER) + "\n" + replay_case(about)


def test_texts_of_a_witness_cannot_become_code(tmp_path: Path) -> None:
    nasty = "x'\"\"\"\nprint('injected')\n\u2028print('injected')#"
    about = witness(gap(), property=nasty, expected=nasty, got=nasty, implementation=nasty)
    out = run(replay_script(about, NUMPY_ADAPTER), tmp_path)
    assert not any(line.startswith("injected") for line in out.splitlines())


@given(
    st.sampled_from(["f8", "f4", "f2", ml_dtypes.bfloat16, "i8", "u1"]).flatmap(
        lambda dtype: hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5).flatmap(
            lambda shape: st.binary(
                min_size=(n := int(np.prod(shape)) * np.dtype(dtype).itemsize), max_size=n
            ).map(lambda data: np.frombuffer(data, dtype).reshape(shape))
        )
    )
)
def test_literals_come_back_bit_for_bit(array: np.ndarray[Any, Any]) -> None:
    names: dict[str, Any] = {"np": np, "ml_dtypes": ml_dtypes}
    exec(replay_prelude("").split("# The adapter")[0].split("class implementation")[0], names)
    exec("def unpack" + replay_prelude("").split("def unpack")[1].split("class Question")[0], names)
    again = eval(literal(array), names)
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert again.tobytes() == array.tobytes()


def test_a_wide_array_is_written_small() -> None:
    wide = np.zeros((1, 128256), np.float32)
    wide[0, 7] = 3
    assert len(literal(wide)) < 2000


@pytest.mark.parametrize(
    "question",
    [
        "__import__('os').system('echo injected')#nll loss",
        "softmax-log-nll'); print('injected') #loss",
        "injected\\",
        "a question of a newer suite",
    ],
)
def test_a_question_that_there_is_not_becomes_no_code(question: str, tmp_path: Path) -> None:
    about = witness(gap(), asked=[{"question": question, "case": None}])
    out = run(replay_script(about, NUMPY_ADAPTER), tmp_path, shows_it=False)
    assert [line for line in out.splitlines() if "injected" in line] == (
        [f"not asked here: {question}"] if "injected" in question else []
    )


def test_the_source_of_an_adapter_commands_no_terminal() -> None:
    prelude = replay_prelude(NUMPY_ADAPTER + "# \x1b]0;title\x07 \u202e\n")
    assert "\\u001b]0;title\\u0007 \\u202e" in prelude


def test_a_reduction_that_the_adapter_does_not_take_is_not_passed(tmp_path: Path) -> None:
    adapter = NUMPY_ADAPTER.replace(', reduction="mean"):\n    p = softmax', "):\n    p = softmax")
    adapter = adapter.replace('loss if reduction == "none" else ', "")
    about = witness(Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="mean"))
    assert "loss: 0.6931" in run(replay_script(about, adapter), tmp_path)


def test_stages_with_their_own_vjp_are_differentiated(tmp_path: Path) -> None:
    adapter = (
        NUMPY_ADAPTER
        + """

@softmax.vjp
def _(cotangent, logits):
    p = softmax(logits)
    return p * (cotangent - (p * cotangent).sum(1, keepdims=True))


@nll_loss.vjp
def _(cotangent, log_p, target, *, reduction="mean"):
    back = np.zeros_like(log_p)
    back[np.arange(len(target)), target] = -cotangent
    return back
"""
    )
    case = Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="none")
    about = witness(case, asked=[{"question": "softmax-log-nll gradient", "case": None}])
    assert "[[-0.5  0.5]]" in run(replay_script(about, adapter), tmp_path)
