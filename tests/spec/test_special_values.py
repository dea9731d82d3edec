"""Infinities, NaN and empty or ignored batches: the oracle does what torch and the formulas do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from frameworks import torch_cross_entropy
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.spec.bounds import (
    accurate,
    arithmetic,
    decomposition_bound,
    decomposition_gradient_bound,
    gradient_bound,
    loss_bound,
)
from conformance.spec.formats import FLOAT64, FORMATS
from conformance.spec.oracle import solve
from conformance.spec.problem import make_problem

INF, NAN = np.inf, np.nan


@st.composite
def special_questions(draw):
    """Small batches with any mixture of infinities, NaN and options."""
    rows, classes = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.normal(0, 3, (rows, classes))
    for _ in range(draw(st.integers(0, 4))):
        value = draw(st.sampled_from([-INF, -INF, -INF, INF, NAN]))
        x[draw(st.integers(0, rows - 1)), draw(st.integers(0, classes - 1))] = value
    target = rng.integers(0, classes, rows)
    options = {"reduction": draw(st.sampled_from(["none", "mean", "sum"]))}
    if draw(st.booleans()):
        options["weight"] = rng.choice([0.0, 1.0, 2.5, -1.5], classes)
    options["label_smoothing"] = draw(st.sampled_from([0.0, 0.0, 0.1, 1.0]))
    if draw(st.booleans()):
        target = rng.choice([0.0, 0.25, 1.0], (rows, classes))
    else:
        target[rng.random(rows) < draw(st.sampled_from([0, 0.4, 1]))] = -100
    shape = (rows,) if options["reduction"] == "none" else ()
    options["cotangent"] = np.asarray(rng.normal(0, 1, shape))
    return x, target, options


def agree(answer, exact):
    return np.allclose(answer, exact.hi, rtol=1e-12, atol=1e-14, equal_nan=True)


@settings(deadline=None, max_examples=600)
@given(special_questions(), st.sampled_from(["float64", "double-double"]))
def test_special_values_are_those_of_torch(question, engine):
    x, target, options = question
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem = make_problem(x, target, **options)
        solution = solve(problem, engine=engine)
        bound = loss_bound(solution, accurate(FLOAT64, x.shape[1]))
        gradient_bound(solution, accurate(FLOAT64, x.shape[1]))
        decomposition_bound(solution, accurate(FLOAT64, x.shape[1]))
        decomposition_gradient_bound(solution, accurate(FLOAT64, x.shape[1]))
    loss, slope = torch_cross_entropy(x, target, options)
    if options["reduction"] == "mean" and solution.denominator == 0 and problem.kept.any():
        # x / 0: which of the infinities and NaN is nobody's promise.
        assert np.isinf(bound) or np.isnan(solution.loss.hi)
        return
    assert agree(loss, solution.loss)
    # torch leaves NaN in the gradient of ignored rows that are not finite; the spec wants 0.
    dirty = problem.ignored & ~np.isfinite(x).all(1)
    assert agree(slope[~dirty], solution.gradient.at(~dirty))
    silent = solution.gradient.hi[problem.ignored]
    assert (silent == 0).all()
    assert not np.signbit(silent).any()


@pytest.mark.parametrize(
    ("row", "target", "loss", "gradient"),
    [
        ([0.0, -INF, 0.0], 0, np.log(2), [-0.5, 0, 0.5]),
        ([0.0, -INF, 0.0], 1, INF, [0.5, -1, 0.5]),
        ([0.0, -INF, -INF], 0, 0, [0, 0, 0]),
        ([-INF, -INF, -INF], 0, NAN, [NAN] * 3),
        ([0.0, INF, 0.0], 0, NAN, [NAN] * 3),
        ([0.0, INF, 0.0], 1, NAN, [NAN] * 3),
        ([0.0, NAN, 0.0], 0, NAN, [NAN] * 3),
        ([INF, NAN, -INF], -100, 0, [0, 0, 0]),
        ([5.0], 0, 0, [0]),
        ([-INF], 0, NAN, [NAN]),
    ],
)
@pytest.mark.parametrize("name", FORMATS)
def test_a_row_of_special_values_by_hand(name, row, target, loss, gradient):
    fmt = FORMATS[name]
    x = np.array([row, [1.0] * len(row)], fmt.dtype)
    solution = solve(make_problem(x, np.array([target, 0]), reduction="none"))
    np.testing.assert_allclose(solution.loss.hi[0], loss, rtol=1e-15)
    np.testing.assert_allclose(solution.gradient.hi[0], gradient, rtol=1e-15)
    assert np.isfinite(solution.loss.hi[1])
    a = accurate(fmt, len(row))
    if not np.isfinite(loss) or target == -100:
        assert loss_bound(solution, a)[0] == 0
    if np.isnan(gradient).any() or target == -100:
        assert (gradient_bound(solution, a)[0] == 0).all()
    assert loss_bound(solution, a)[1] < 0.5


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("ignored", [True, False])
def test_a_batch_without_any_row_to_judge(reduction, ignored):
    rows = 3 if ignored else 0
    x = np.full((rows, 4), 7.0, np.float32)
    solution = solve(make_problem(x, np.full(rows, -100), reduction=reduction))
    wanted = {"none": np.zeros(rows), "mean": NAN, "sum": 0.0}[reduction]
    np.testing.assert_array_equal(solution.loss.hi, wanted)
    np.testing.assert_array_equal(solution.gradient.hi, np.zeros((rows, 4)))
    a = accurate(FORMATS["float32"], 4)
    assert (loss_bound(solution, a) == 0).all()
    assert (gradient_bound(solution, a) == 0).all()


def test_nothing_is_required_where_weights_cancel():
    x, target = np.zeros((3, 3)), np.array([0, 1, 2])
    weight = np.array([0.1, 0.2, -0.3])
    solution = solve(make_problem(x, target, weight=weight))
    a = accurate(FLOAT64, 3)
    assert loss_bound(solution, a) == INF
    assert (gradient_bound(solution, a) == INF).all()


def test_an_inner_overflow_of_float16_is_allowed_but_not_to_the_widest_arithmetic():
    fmt = FORMATS["float16"]
    flat = solve(make_problem(np.zeros((1, 70000), np.float16), np.array([1])))
    many = solve(make_problem(np.full((60000, 2), [9, 0], np.float16), np.full(60000, 1)))
    smoothed = solve(
        make_problem(np.zeros((4, 8000), np.float16), np.arange(4), label_smoothing=0.1)
    )
    together = solve(
        make_problem(np.zeros((8, 2000), np.float16), np.arange(8), label_smoothing=0.1)
    )
    for solution in (flat, many, smoothed, together):
        for tier, finite in (("wide", True), ("standard", False), ("native", False)):
            assert np.isfinite(loss_bound(solution, arithmetic(fmt, tier))) == finite
