"""How far right derivatives beyond the gradient may be off: forward mode, second order, d/d q.

Notation as in `softmax_error` and `gradient_bounds`.  Each p_j is off by a factor of at most
1 + r_j, by exp, the division and the error E_j of its logarithm; v is the tangent; k_c are the
coefficients of the loss, Q = sum_c k_c and |Q| <= K = sum_c |k_c|; sigma is the error of a sum over
the classes relative to the sum of the magnitudes of its terms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.spec.arithmetic import Arithmetic
from conformance.spec.coefficients import Coefficients
from conformance.spec.derivatives import jvp, log_probabilities, rows_of_tangent
from conformance.spec.gradient_bounds import gradient_bound
from conformance.spec.loss_bounds import TINY, denominator_error, loss_bound
from conformance.spec.oracle import Solution, solve
from conformance.spec.softmax_error import FAR, log_probability_error

Float64 = NDArray[np.float64]


def hvp_bound(solution: Solution, tangent: NDArray[Any], a: Arithmetic) -> Float64:
    """How far each element of g Q [p_j v_j - p_j <p, v>] may be off; of the logits' shape.

    To first order, for any order of the products (the derivative of p Q - c along v, or the vjp of
    the vjp), with A = sum_i p_i |v_i|:

        |g| K p_j { (r_j + 12 u_s) (|v_j| + A)  +  sum_i p_i (r_i + sigma + 12 u_s) |v_i| }

    The first term is the error of p_j, Q, and of the products on the way: p v, g / W, w, 1 - e,
    e / C, the subtraction, the result.  The second is that of <p, v>, a sum whose terms may cancel:
    only its absolute accuracy is bounded, and so that of v_j - <p, v>, however small it is.
    """
    problem, rows = solution.problem, solution.softmax
    with np.errstate(all="ignore"):
        v = np.abs(rows_of_tangent(problem, tangent))
        p, r = _probabilities(solution, a)
        sigma = _sigma(solution, a)
        spare, count_error = denominator_error(solution, a)
        roundings = 12 * a.storage.unit_roundoff + (count_error / spare if spare else 0.0)
        r = (1 + r) * (1 + roundings + solution.error) - 1
        inner = (p * v).sum(1, keepdims=True)
        of_inner = (p * v * ((1 + r) * (1 + sigma) - 1)).sum(1, keepdims=True)
        scale = np.abs(problem.cotangent) / abs(solution.denominator)
        mass = Coefficients(solution).mass
        bound = p * (r * (v + inner) + (1 + r) * of_inner) * (scale * mass)[:, None]
        largest = _largest(solution, v)
        bound += _lost(solution, a, p) * largest[:, None] + TINY
        bound[~(largest <= a.limit)] = np.inf
        bound[np.isnan(bound).any(1) | ~np.isfinite(r).all(1)] = np.inf
        if not spare:
            bound[:] = np.inf
        if rows.hopeless is not None:
            bound[rows.hopeless] = 0.0
        bound[problem.ignored] = 0.0
        return problem.to_logits(bound)


def jvp_bound(solution: Solution, tangent: NDArray[Any], a: Arithmetic) -> Float64:
    """How far <d loss/dx, v> may be off; of the loss's shape; the solution is that of ones.

    A row is <s, v> with the slope s = Q p - k, summed as that, or as Q <p, v> - <k, v>, or as
    -sum_c k_c (v_c - <p, v>).  With B_j the bound of s_j, that is off by at most

        sum_j B_j |v_j|  +  (sigma + 6 u_s) sum_j (K p_j + |k_j|) |v_j|

    The sums and the quotient of `sum` and `mean` are those of the loss.
    """
    problem = solution.problem
    ones = np.ones(len(problem.logits))
    if problem.reduction == "none":
        each = solution
    else:
        each = solve(replace(problem, reduction="none", cotangent=ones))
    with np.errstate(all="ignore"):
        v = np.abs(rows_of_tangent(problem, tangent))
        p, _ = _probabilities(each, a)
        coefficients = Coefficients(each)
        terms = coefficients.mass[:, None] * p
        coefficients.add_to(terms, ones)
        of_slope = (problem.to_rows(gradient_bound(each, a)) * v).sum(1)
        roundings = _sigma(each, a) + 6 * a.storage.unit_roundoff + solution.error
        rows = of_slope + roundings * ((terms * v).sum(1) + of_slope)
        largest = _largest(each, v)
        rows += _lost(each, a, p).sum(1) * largest + TINY
        rows[np.isnan(rows) | ~(largest <= a.limit)] = np.inf  # NaN: a bound of inf, times 0
        rows[problem.ignored] = 0.0
        if problem.reduction == "none":
            return problem.to_result(rows)
        size = np.abs(jvp(each, tangent).hi).reshape(-1)
        return np.asarray(_reduced(solution, a, rows, size, abs(float(jvp(solution, tangent).hi))))


def target_vjp_bound(solution: Solution, a: Arithmetic) -> Float64:
    """How far each element of g (1 - e) w_c (-log p_c) may be off; of the target's shape.

    The error of the log-probability is that of the plain loss of its class; 8 roundings remain: of
    1 - e, the three products, 1 / W, and three numbers stored.
    """
    problem = solution.problem
    each = log_probabilities(solution)
    with np.errstate(all="ignore"):
        error = loss_bound(each, a).reshape(problem.logits.shape)
        log_p = each.loss.hi.reshape(problem.logits.shape)
        roundings = 8 * a.storage.unit_roundoff + solution.error
        weight = np.ones(()) if problem.weight is None else np.abs(problem.weight)
        factor = (np.abs(solution.question.scale.hi)[:, None]) * weight
        bound = factor * (error + roundings * (log_p + error)) + TINY
        bound += 8 * a.floor * np.maximum(factor, 1.0) * np.maximum(weight, 1.0)
        largest = np.maximum(weight, 1.0) * np.maximum(np.abs(problem.cotangent), 1.0).reshape(
            -1, 1
        )
        bound[~(largest * np.maximum(log_p, 1.0) <= a.limit)] = np.inf
        return problem.to_logits(bound)


def difference_bound(solution: Solution, tangent: NDArray[Any], step: float) -> Float64:
    """How far (l(x + hv) - l(x - hv)) / 2h is from <dl/dx, v>, l being exact; of the loss's shape.

    The third derivative of a row's loss along v is Q E (V - E V)^3, V being v_c with probability
    p_c.  With R = max v - min v that is at most K R Var V <= K R R^2 / 4 (Popoviciu), to be
    multiplied by h^2 / 6.  In float64 the points x + hv and x - hv are each rounded by
    2^-53 (max |x| + h max |v|), and the slope of a row adds up to at most 2 K.
    """
    problem, v = solution.problem, rows_of_tangent(solution.problem, tangent)
    with np.errstate(all="ignore"):
        rounded = 2.0**-53 * (np.abs(problem.logits).max(1) + step * np.abs(v).max(1))
        rows = Coefficients(solution).mass * (
            step**2 / 24 * np.ptp(v, axis=1) ** 3 + 4 * rounded / (2 * step)
        )
        if problem.reduction == "none":
            return problem.to_result(rows)
        return np.asarray(rows.sum() / abs(solution.denominator))


def _probabilities(solution: Solution, a: Arithmetic) -> tuple[Float64, Float64]:
    """p and its relative error r, (M, C) each: e / s, or exp of a log-probability off by E_j."""
    rows = solution.softmax
    u = a.elementwise.unit_roundoff
    error = log_probability_error(rows, a)
    d = np.minimum(rows.distances(slice(None)), FAR)
    exponent = error.constant[:, None] + (error.slope + (a.argument - 1) * u) * d
    growth = (1 + 2 * a.exp_ulp * u + 2 * u) * (1 + _sigma(solution, a)) - 1
    p = rows.exponentials(d, slice(None)) / (1 + rows.tail)[:, None]
    r: Float64 = np.exp(exponent) * (1 + growth) - 1
    return p, r


def _sigma(solution: Solution, a: Arithmetic) -> float:
    """The error of a sum over the classes of stored products, relative to their magnitudes."""
    return a.class_sigma(solution.problem.logits.shape[1]) + 4 * a.storage.unit_roundoff


def _largest(solution: Solution, v: Float64) -> Float64:
    """(M,): what the numbers on the way may be as large as, if that is more than 1."""
    problem = solution.problem
    cotangent = np.abs(problem.cotangent)
    scale = np.maximum(cotangent, cotangent / abs(solution.denominator))
    weight = 1.0 if problem.weight is None else float(np.abs(problem.weight).max())
    size = np.maximum(v.max(1), 1.0) * np.maximum(Coefficients(solution).mass, 1.0)
    largest: Float64 = size * np.maximum(scale, 1.0) * max(weight, 1.0)
    return largest


def _lost(solution: Solution, a: Arithmetic, p: Float64) -> Float64:
    """(M, C): what products below the normal numbers lose, each scaled by at most `_largest`.

    Twelve products of an element, and three of each class in the sums <p, v> and Q.
    """
    classes = solution.problem.logits.shape[1]
    lost: Float64 = a.floor * (12 + 3 * classes * p)
    return lost


def _reduced(
    solution: Solution, a: Arithmetic, rows: Float64, size: Float64, result: float
) -> float:
    """The bound of a sum or mean of rows with these bounds and magnitudes, (M,) each."""
    of_rows = float(rows.sum())
    total = float(size.sum()) + of_rows
    spare, count_error = denominator_error(solution, a)
    if not spare or not total <= a.limit:
        return np.inf
    us, ur = a.storage.unit_roundoff, a.batch_sum.unit_roundoff
    bound = of_rows + (a.batch_sigma(len(rows)) + solution.error) * total
    if solution.problem.reduction == "mean":
        bound = (bound + result * count_error) / spare
        bound += 2 * ur * (result + bound)
    return bound + us * (result + bound) + a.floor
