"""The formulas are the normative statement: worked by hand, and no fault in them goes unseen."""

from __future__ import annotations

import inspect
import types

import numpy as np
import pytest
from exact import arguments
from test_oracle import random_options

from conformance.spec import formulas
from conformance.spec.oracle import solve
from conformance.spec.problem import make_problem

HALF = float(np.log(2))


def problems():
    """Small problems over all options, reductions and shapes."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows, classes = int(rng.integers(2, 5)), int(rng.integers(2, 6))
        x = rng.normal(0, 2, (rows, classes))
        target, options = random_options(rng, rows, classes, rng.integers(0, classes, rows))
        yield x, target, options
    for seed in range(20):
        rng = np.random.default_rng(100 + seed)
        soft = seed % 2 == 0
        shape = (3,) if seed < 6 else (2, 3, 4, 2)
        positions = shape[:1] + shape[2:] if len(shape) > 1 else ()
        reduction = ("none", "mean", "sum")[seed % 3]
        g = rng.normal(0, 1, positions if reduction == "none" else ())
        target = rng.random(shape) if soft else np.asarray(rng.integers(0, 3, positions))
        options = {"reduction": reduction, "cotangent": np.asarray(g), "label_smoothing": 0.2}
        yield rng.normal(0, 2, shape), target, options


def disagreement(module):
    """The largest difference between a module of formulas and the oracle, over all problems."""
    worst = 0.0
    for x, target, options in problems():
        solution = solve(make_problem(x, target, **options))
        keywords = {k: v for k, v in options.items() if k != "cotangent"}
        g = options.get("cotangent", np.ones(solution.loss.hi.shape))
        with np.errstate(all="ignore"):
            pairs = (
                (module.cross_entropy(x, target, **keywords), solution.loss.hi),
                (module.vjp(g, x, target, **keywords), solution.gradient.hi),
            )
            for got, wanted in pairs:
                if np.shape(got) != wanted.shape:
                    return np.inf
                if not np.array_equal(np.isfinite(got), np.isfinite(wanted)):
                    return np.inf
                finite = np.isfinite(wanted)
                worst = max(worst, np.max(np.abs(got - wanted)[finite], initial=0))
    x = np.array([[0.0, HALF, 0.0]])
    worst = max(worst, np.abs(module.softmax(x) - [[0.25, 0.5, 0.25]]).max())
    worst = max(worst, abs(module.nll(module.log_softmax(x), np.array([1]))[0] - HALF))
    legacy = [module.legacy_reduction(*two) for two in LEGACY]
    return worst if legacy == list(LEGACY.values()) else np.inf


LEGACY = {
    (None, None): "mean",
    (True, True): "mean",
    (False, None): "sum",
    (False, True): "sum",
    (None, False): "none",
    (True, False): "none",
    (False, False): "none",
}
"""size_average, reduce: reduction.  torch.nn._reduction documents it in this order."""


def test_the_formulas_agree_with_the_oracle():
    assert disagreement(formulas) < 1e-12


def test_the_legacy_arguments_mean_what_torch_says():
    reduction = pytest.importorskip("torch.nn._reduction")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for two in LEGACY:
            assert formulas.legacy_reduction(*two) == reduction.legacy_get_string(*two)


def test_the_worked_example_is_1_5230():
    from conformance.cases.worked_example import LOGITS, TARGET

    x = np.array([[float.fromhex(v) for v in row] for row in LOGITS])
    assert round(float(formulas.cross_entropy(x, np.array(TARGET))), 4) == 1.5230
    assert round(float(solve(make_problem(x, np.array(TARGET))).loss.hi), 4) == 1.5230


FAULTS = {
    "softmax not normalised over classes": ("e.sum(-1, keepdims=True))", "e.sum())"),
    "softmax of the negative logits": ("e = numbers.exp(x)", "e = numbers.exp(-x)"),
    "log_softmax adds the logarithm": ("return x - numbers.log(", "return x + numbers.log("),
    "nll without its sign": ("return -log_p[", "return log_p["),
    "nll of the class before": ("np.arange(len(y)), y]", "np.arange(len(y)), y - 1]"),
    "class weights forgotten": ("l = w[y] * nll(log_p, y)", "l = nll(log_p, y)"),
    "the target keeps all its mass under smoothing": ("(1 - e) * l + e", "l + e"),
    "smoothing over C + 1 classes": ("e / x.shape[1] * (w * -", "e / (x.shape[1] + 1) * (w * -"),
    "smoothing without weights": ("(w * -log_p).sum(-1)", "(-log_p).sum(-1)"),
    "probabilities not mixed": ("return (1 - e) * q + e / q.shape[1]", "return q"),
    "probabilities without weights": ("-(w * smoothed(q, e) * log_p)", "-(smoothed(q, e) * log_p)"),
    "mean over rows instead of weights": ("else factor.sum()", "else float(rows)"),
    "mean of probabilities is a sum": ("float(rows) if factor is None", "1.0 if factor is None"),
    "a sum is divided like a mean": ('if reduction != "mean":', 'if reduction == "none":'),
    "reduce = False is a sum": ('return "none"', 'return "sum"'),
    "size_average forgotten": ('"sum" if size_average is False else "mean"', '"mean"'),
    "ignored rows counted in the mean": ("_where(kept, w[y])\n    if", "w[y]\n    if"),
    "ignored rows not silent": ("l = _where(kept, ", "l = np.where(True, "),
    "gradient of ignored rows": ("slope = _where(kept[:, None], ", "slope = np.where(True, "),
    "gradient without the one-hot": ("(p - onehot)", "p"),
    "gradient without smoothing": ("slope + e / x.shape[1]", "slope + 0"),
    "gradient without the sum of weights": ("(p * w.sum() - w)", "(p - w)"),
    "probabilities taken to sum to one": ("p * c.sum(-1, keepdims=True) - c", "p - c"),
    "gradient without the cotangent": ("number(cotangent)", "number(1.0 + 0 * cotangent)"),
    "the class axis is the last": ("return 1 if len(shape) > 1 else 0", "return len(shape) - 1"),
}
"""What: a piece of formulas.py, and what a slip of the pen makes of it."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_formulas_is_found(fault):
    right, wrong = FAULTS[fault]
    source = inspect.getsource(formulas)
    assert source.count(right) == 1
    module = types.ModuleType("faulty_formulas")
    exec(compile(source.replace(right, wrong), "faulty_formulas.py", "exec"), module.__dict__)
    try:
        found = disagreement(module)
    except (ValueError, IndexError):
        found = np.inf
    assert found > 1e-6


def test_rows_and_arguments_are_the_problem():
    x = np.arange(24.0).reshape(2, 3, 4)
    problem = make_problem(x, np.zeros((2, 4), np.int64))
    np.testing.assert_array_equal(problem.logits, formulas.rows_of(x))
    np.testing.assert_array_equal(problem.to_logits(problem.logits), x)
    np.testing.assert_array_equal(problem.to_rows(x), problem.logits)
    assert arguments(problem)["reduction"] == "mean"
