"""Derivatives beyond the gradient, as exact as the oracle's gradient: the formulas in its numbers.

Errors are those of the solution, relative to the same formula with each term replaced by its
magnitude (tests/spec, against mpmath).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.spec import double_double as dd
from conformance.spec.double_double import Pair
from conformance.spec.engines import coefficient_pairs
from conformance.spec.oracle import Solution, solve
from conformance.spec.problem import Problem

Float64 = NDArray[np.float64]

_COLUMN = (slice(None), None)


def jvp(solution: Solution, tangent: NDArray[Any]) -> Pair:
    """<d loss/dx, v>, of the loss's shape (`formulas.jvp`); the solution is that of ones.

    tangent: of the logits' shape.
    """
    problem = solution.problem
    assert solution.gradient is not None  # the cotangent is ones
    with np.errstate(all="ignore"):
        slope = Pair(*map(problem.to_rows, solution.gradient))
        products = dd.scale(slope, rows_of_tangent(problem, tangent))
        if problem.reduction != "none":
            products = Pair(products.hi.reshape(-1), products.lo.reshape(-1))
        along = _finite(dd.total(products) if products.hi.size else dd.constant(0.0))
    if problem.reduction == "none":
        return Pair(*map(problem.to_result, along))
    return Pair(np.asarray(along.hi), np.asarray(along.lo))


def hvp(solution: Solution, tangent: NDArray[Any]) -> Pair:
    """g Q [p * v - p <p, v>], of the logits' shape (`formulas.hvp`).

    tangent: of the logits' shape.
    """
    problem, ask = solution.problem, solution.question
    with np.errstate(all="ignore"):
        p = _softmax(problem)
        pv = dd.scale(p, rows_of_tangent(problem, tangent))
        curvature = dd.subtract(pv, dd.multiply(p, dd.total(pv).at(_COLUMN)))
        scale = dd.multiply(dd.total(coefficient_pairs(ask)), ask.scale)
        product = _finite(dd.multiply(curvature, scale.at(_COLUMN)))
    product.hi[problem.ignored] = 0.0
    product.lo[problem.ignored] = 0.0
    return Pair(*map(problem.to_logits, product))


def target_vjp(solution: Solution) -> Pair:
    """g (1 - e) w_c (-log p_c), of the target's shape (`formulas.target_vjp`)."""
    problem, ask = solution.problem, solution.question
    with np.errstate(all="ignore"):
        own = dd.subtract(dd.constant(1.0), dd.constant(ask.smoothing))
        slope = dd.multiply(log_probabilities(solution).loss, own)
        slope = Pair(*(part.reshape(problem.logits.shape) for part in slope))
        if ask.weight is not None:
            slope = dd.scale(slope, ask.weight)
        slope = _finite(dd.multiply(slope, ask.scale.at(_COLUMN)))
    return Pair(*map(problem.to_logits, slope))


def log_probabilities(solution: Solution) -> Solution:
    """-log p_c of all rows and classes, (M C,): each row once for each class as its target."""
    x = solution.problem.logits
    rows, classes = x.shape
    return solve(
        _plain(solution.problem, np.repeat(x, classes, 0), np.tile(np.arange(classes), rows)),
        gradient=False,
    )


def rows_of_tangent(problem: Problem, tangent: NDArray[Any]) -> Float64:
    """(M, C), from the logits' shape."""
    return problem.to_rows(tangent.astype(np.float64))


def _softmax(problem: Problem) -> Pair:
    """p, (M, C): the gradient of -log p_y is p - onehot_y, accurate where y is the maximum."""
    x = problem.logits
    at_top = (np.arange(len(x)), x.argmax(1))
    p = solve(_plain(problem, x, at_top[1])).gradient
    assert p is not None
    top = dd.add(dd.constant(1.0), p.at(at_top))
    p.hi[at_top], p.lo[at_top] = top
    return p


def _plain(problem: Problem, x: Float64, label: NDArray[np.int64]) -> Problem:
    """Rows (M, C) and a class for each, without any option."""
    return replace(
        problem,
        logits=x,
        target=label,
        weight=None,
        ignore_index=-100,
        label_smoothing=0.0,
        reduction="none",
        cotangent=np.ones(len(x)),
        shape=x.shape,
    )


def _finite(pair: Pair) -> Pair:
    """NaN and infinities have no second part."""
    return Pair(pair.hi, np.where(np.isfinite(pair.hi), pair.lo, 0.0))
