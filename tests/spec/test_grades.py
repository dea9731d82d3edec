"""The bounds of stricter grades: who computes in that way is within, others are beyond."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.spec import bounds
from conformance.spec.formats import FORMATS
from conformance.spec.oracle import Solution, solve
from conformance.spec.problem import make_problem

ALL = pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda fmt: fmt.name)


def confident(fmt, gaps) -> Solution:
    """Rows won by their target, by the gaps."""
    gaps = np.asarray(gaps)
    rng = np.random.default_rng(0)
    x = rng.normal(0, 0.5, (gaps.size, 5))
    x[:, 2] = gaps
    target = np.full(gaps.size, 2)
    return solve(make_problem(x.astype(fmt.dtype), target, reduction="none"))


def ratio(loss, solution, bound) -> float:
    return float(np.max(np.abs(loss.astype(np.float64) - solution.loss.hi) / bound))


def by_log1p(solution, inner):
    """log1p of the tail, in a dtype."""
    x = solution.problem.logits.astype(inner)
    d = x - x[:, 2:3]
    return np.log1p(np.exp(np.delete(d, 2, axis=1)).sum(1))


def by_log(solution, inner):
    """The logarithm of the whole sum."""
    x = solution.problem.logits.astype(inner)
    return np.log(np.exp(x - x[:, 2:3]).sum(1))


def inside(fmt):
    return np.promote_types(fmt.dtype, np.float32)


@ALL
def test_log1p_keeps_the_last_places_of_tiny_losses(fmt):
    solution = confident(fmt, np.linspace(2, 40 if fmt.name != "float16" else 9, 400))
    bound = bounds.relative_bound(solution, bounds.wide(fmt, 5))
    assert 0.1 < ratio(by_log1p(solution, inside(fmt)).astype(fmt.dtype), solution, bound) <= 1


@ALL
def test_the_logarithm_of_the_sum_loses_them(fmt):
    solution = confident(fmt, [8.0 if fmt.name == "float16" else 20.0])
    bound = bounds.relative_bound(solution, bounds.wide(fmt, 5))
    # In 16 bits the sum is stored in 16 bits, too.
    inner = fmt.dtype if fmt.precision < 24 else inside(fmt)
    assert ratio(by_log(solution, inner), solution, bound) > 10


@ALL
def test_the_bound_is_a_small_part_of_the_loss(fmt):
    solution = confident(fmt, [2.0, 5.0, 8.0])
    part = bounds.relative_bound(solution, bounds.wide(fmt, 5)) / solution.loss.hi
    assert (part < 100 * fmt.unit_roundoff).all()


@ALL
def test_stricter_grades_have_smaller_bounds(fmt):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (20, 300)).astype(fmt.dtype)
    solution = solve(make_problem(x, np.zeros(20, int), reduction="none"))
    widest = bounds.loss_bound(solution, bounds.accurate(fmt, 300))
    for grade in (bounds.wide, bounds.simd8):
        assert (bounds.loss_bound(solution, grade(fmt, 300)) <= widest).all()
    assert (bounds.loss_bound(solution, bounds.simd8(fmt, 300)) < widest).all()


def test_one_running_sum_is_beyond_what_eight_stay_within():
    fmt, of_one, of_eight = FORMATS["float32"], [], []
    for gap in np.linspace(0.1, 2, 20):
        x = np.full((1, 4096), -gap, np.float32)
        x[0, 0] = 0
        solution = solve(make_problem(x, np.array([0]), reduction="none"))
        bound = bounds.loss_bound(solution, bounds.simd8(fmt, 4096))
        terms = np.exp(x)
        one = np.cumsum(terms, axis=1, dtype=np.float32)[:, -1]
        eight = np.cumsum(terms.reshape(1, -1, 8), axis=1, dtype=np.float32)[:, -1].sum(1)
        of_one.append(ratio(np.log(one), solution, bound))
        of_eight.append(ratio(np.log(eight), solution, bound))
    assert max(of_one) > 1
    assert max(of_eight) <= 1
