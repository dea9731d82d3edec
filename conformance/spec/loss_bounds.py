"""How far a right loss may be off: rows, reductions, and softmax -> log -> NLL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from conformance.spec.arithmetic import Arithmetic
from conformance.spec.coefficients import Coefficients, Sizes, sizes_of
from conformance.spec.oracle import Solution
from conformance.spec.softmax_error import log_probability_error, sum_error

Float64 = NDArray[np.float64]

TINY = 2.0**-1070
"""The absolute error of the oracle."""


def loss_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """How far each element of the loss may be off; of the result's shape."""
    with np.errstate(all="ignore"):
        sizes = sizes_of(solution)
        error = log_probability_error(solution.softmax, arithmetic)
        weighted = error.constant * sizes.mass + error.slope * sizes.reach
        rows = _row_error(solution, arithmetic, sizes, weighted)
        return _reduced(solution, arithmetic, sizes, rows)


def decomposition_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """How far softmax -> log -> NLL may be from the exact loss; of the result's shape.

    It is as good as the fused loss while the stored p_y is a normal number, and infinite where a
    p_y of zero, and so a loss of +inf, is legitimate.  The softmax subtracts the maximum first.
    """
    with np.errstate(all="ignore"):
        sizes = sizes_of(solution)
        weighted = _weighted_chain_error(solution, arithmetic)
        rows = _row_error(solution, arithmetic, sizes, weighted)
        return _reduced(solution, arithmetic, sizes, rows)


def relative_bound(solution: Solution, a: Arithmetic) -> Float64:
    """How far the loss of a row may be off where its own last places count, however small it is.

    l_y = log1p(tail) + d_y, both terms accurate relative to themselves: for class indices without
    weights and without reduction.  Whoever takes the logarithm of the sum loses what is below u.
    """
    with np.errstate(all="ignore"):
        rows, u = solution.softmax, a.elementwise.unit_roundoff
        d = rows.distances(slice(None))
        exp = (1 + 2 * a.exp_ulp * u) * np.exp(a.argument * u * d.max(1))
        # log1p is concave: (1 + r) of the tail is at most (1 + r) of its logarithm.
        growth = exp * (1 + a.class_sigma(d.shape[1])) * (1 + 2 * a.log_ulp * u) * (1 + u) ** 2
        relative = growth * (1 + a.storage.unit_roundoff) - 1 + solution.error
        return solution.problem.to_result(relative * solution.loss_rows.hi + a.floor)


def denominator_error(solution: Solution, a: Arithmetic) -> tuple[float, float]:
    """|W| less the error of the mean's denominator W, 0 if it may vanish; and that error."""
    problem = solution.problem
    if problem.reduction != "mean":
        return 1.0, 0.0
    size = float(np.abs(solution.factor).sum())
    if problem.weight is None or problem.soft:
        # A count: exact, then rounded once to the format of the division.
        error = a.batch_sum.unit_roundoff * size
    else:
        error = (a.batch_sigma(len(solution.factor)) + 2.0**-52) * size
    if size > a.limit:
        return 0.0, error
    return max(0.0, abs(solution.denominator) - error), error


def _row_error(solution: Solution, a: Arithmetic, sizes: Sizes, weighted: Float64) -> Float64:
    """The errors of the losses before reduction, (M,).

    weighted: (M,), the sum of |c_c| E_c, where E_c is the error of the log-probability of class c.
    """
    problem, rows = solution.problem, solution.softmax
    us = a.storage.unit_roundoff
    size = sizes.size
    bound = weighted.copy()
    if sizes.largest is None:  # one class a row: a product with its weight
        if problem.weight is not None:
            bound += us * (size + bound) + a.floor
            if a.lse_first:  # w LSE - w x_y, each a product;  |x_y| <= |m| + d_y
                top = np.abs(rows.maximum)
                bound += us * (sizes.mass * (2 * top + rows.log_sum) + sizes.reach + bound)
            bound[(sizes.mass == 0) & np.isfinite(weighted)] = 0.0
        beyond = size + bound
    else:
        # Two products a class (weight, target or e / C), their sum, and that sum stored.
        total = size + bound
        sigma = a.class_sigma(rows.logits.shape[1])
        bound += (4.1 * us + sigma * (1 + 4.1 * us)) * total
        # The coefficients 1 - e (absolute error u_s e), e / C (perhaps subnormal); the last sum.
        bound += 4 * us * (size + bound) + a.floor
        beyond = np.maximum(total, sizes.largest)
        if sizes.overall is not None:
            bound += (us * problem.label_smoothing) * sizes.own + a.floor * sizes.overall
            beyond = np.maximum(beyond, sizes.overall)
        if a.lse_first:  # Q LSE - sum_c c_c x_c;  |x_c| <= |m| + d_c
            top = np.abs(rows.maximum)
            bound += 3 * us * sizes.mass * (top + rows.log_sum)
            bound += (4 * us + sigma) * (sizes.mass * top + sizes.reach)
    bound += solution.error * size + TINY
    bound[~(beyond <= a.limit)] = np.inf
    if rows.masked is not None:  # infinite or NaN because of a logit
        bound[~np.isfinite(solution.loss_rows.hi) & np.isfinite(weighted)] = 0.0
    bound[problem.ignored] = 0.0
    return bound


def _reduced(solution: Solution, a: Arithmetic, sizes: Sizes, rows: Float64) -> Float64:
    """The bound of the result, given the errors of the rows, (M,)."""
    problem = solution.problem
    largest = a.storage.largest
    if problem.reduction == "none":
        rows[(np.abs(solution.loss_rows.hi) + rows > largest) & (rows > 0)] = np.inf
        return problem.to_result(rows)
    exact = float(solution.loss.hi)
    bound = _sum_or_mean_error(solution, a, sizes, rows)
    if np.isnan(exact):
        bound = 0.0
    elif np.isinf(exact):  # certain where a row is infinite because of a logit, and only then
        certain = solution.softmax.masked is not None and bool(np.isfinite(rows).all())
        bound = 0.0 if certain and denominator_error(solution, a)[0] else np.inf
    elif not abs(exact) + bound <= largest:
        bound = np.inf
    return np.asarray(bound)


def _sum_or_mean_error(solution: Solution, a: Arithmetic, sizes: Sizes, rows: Float64) -> float:
    """The sum of all rows, divided by W for the mean, and stored."""
    us, ur = a.storage.unit_roundoff, a.batch_sum.unit_roundoff
    of_rows = float(rows.sum())
    total = float(np.abs(solution.loss_rows.hi).sum()) + of_rows
    if not total:
        return 0.0
    # Smoothing may sum over rows and classes before it scales by e / C.
    overall = 0.0 if sizes.overall is None else float(sizes.overall.sum())
    spare, count_error = denominator_error(solution, a)
    if max(total, overall) > a.limit or not spare:
        return np.inf
    size = abs(float(solution.loss.hi))
    bound = of_rows + (a.batch_sigma(len(rows)) + solution.error) * total
    if solution.problem.reduction == "mean":
        bound = (bound + size * count_error) / spare
        bound += 2 * ur * (size + bound)
    return bound + us * (size + bound) + a.floor


def _weighted_chain_error(solution: Solution, a: Arithmetic) -> Float64:
    """(M,): the sum of |c_c| E_c, where E_c is the error of the logarithm of the stored p_c."""
    problem, rows = solution.problem, solution.softmax
    u, us = a.elementwise.unit_roundoff, a.storage.unit_roundoff
    d = rows.distances(slice(None))
    if problem.one_class:
        d = d[np.arange(len(d)), problem.label][:, None]
    log_p = rows.log_sum[:, None] + d
    # The stored p is at least p exp(-t) (1 - r) - floor.
    t = -np.log1p(-np.minimum(sum_error(rows, a), 1.0))[:, None] + a.argument * u * d
    r = 2 * a.exp_ulp * u + 2 * u
    r += (2 * us if a.stores_intermediates else us) * (1 + r)  # p, and perhaps s
    error = t - np.log1p(-np.minimum(r + a.floor * np.exp(t + log_p), 1.0))
    error += (2 * a.log_ulp * u + us) * (log_p + error) + a.floor
    if problem.one_class:
        weighted: Float64 = np.abs(solution.factor) * error[:, 0]
    else:
        if rows.masked is not None:
            error[rows.masked] = 0.0  # log 0 = -inf, as it should be
        weights = np.zeros(error.shape)
        Coefficients(solution).add_to(weights, np.ones(()))
        weighted = (weights * error).sum(1)
    weighted[np.isinf(error).any(1)] = np.inf  # also where the coefficient is 0: 0 * inf
    return weighted
