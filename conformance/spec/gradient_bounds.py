"""How far a right gradient may be off, fused or through softmax -> log -> NLL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from conformance.errors import UsageError
from conformance.spec.arithmetic import Arithmetic
from conformance.spec.coefficients import Coefficients
from conformance.spec.loss_bounds import TINY, denominator_error
from conformance.spec.oracle import Solution
from conformance.spec.softmax_error import FAR, Affine, log_probability_error, sum_error

Float64 = NDArray[np.float64]

_HOPELESS = 600.0
"""A relative error of exp(600) - 1 says nothing: the bound is infinite."""


def gradient_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """How far each element of the gradient may be off; of the logits' shape."""
    with np.errstate(all="ignore"):
        # p = exp(-d) / s, or p = exp of a log-probability that is off by E_j.
        error = log_probability_error(solution.softmax, arithmetic)
        u = arithmetic.elementwise.unit_roundoff
        relative = error._replace(slope=error.slope + (arithmetic.argument - 1) * u)
        bound = _gradient_error(solution, arithmetic, relative)
        return solution.problem.to_logits(bound)


def decomposition_gradient_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """The same through softmax -> log -> NLL: p_j (G_j - sum_k G_k p_k) with G_k = -c_k / p_k.

    Of the logits' shape; infinite in rows where a p_j may be zero (log's derivative is 0/0 there)
    or so small that 1 / p_j overflows.  The error of p_k cancels in the products G_k p_k; ten more
    roundings remain.
    """
    with np.errstate(all="ignore"):
        problem, rows, a = solution.problem, solution.softmax, arithmetic
        of_sum = -np.log1p(-np.minimum(sum_error(rows, a), 1.0))
        relative = Affine(of_sum, a.argument * a.elementwise.unit_roundoff)
        bound = _gradient_error(solution, a, relative, roundings=10)
        everything = slice(None)
        p = rows.exponentials(rows.distances(everything), everything) / (1 + rows.tail)[:, None]
        quotients = np.zeros(p.shape)
        scale = np.abs(problem.cotangent) / abs(solution.denominator)
        Coefficients(solution).add_to(quotients, np.asarray(scale))
        # log's derivative may be c_k / p_k or c_k (1 / p_k).
        quotients = np.maximum(quotients, 1.0)
        safe = (a.floor < 0.5 * p) & (2 * quotients <= a.storage.largest * p)
        well = safe.all(1)
        if rows.hopeless is not None:  # NaN in, NaN out; but 0 * NaN in ignored rows
            well = (well & np.isfinite(problem.logits).all(1)) | rows.hopeless
        bound[~well] = np.inf
        return problem.to_logits(bound)


def _gradient_error(
    solution: Solution, a: Arithmetic, relative: Affine, roundings: int = 0
) -> Float64:
    """The error of g_j = scale (Q p_j - c_j), scale = cotangent / W, Q = sum_c c_c; (M, C).

    p_j is off by exp(relative error) - 1.  Near p_y = 1 only the absolute accuracy of
    g_y = p_y - 1 is bounded.  ``roundings``: how many more both p_j and c_j go through.
    """
    problem, rows = solution.problem, solution.softmax
    if solution.gradient is None:
        raise UsageError("the solution has no gradient: solve(problem, gradient=True)")
    exact = np.abs(problem.to_rows(solution.gradient.hi))
    u, us = a.elementwise.unit_roundoff, a.storage.unit_roundoff
    classes = rows.logits.shape[1]
    coefficients = Coefficients(solution)
    mass, weight = coefficients.mass, coefficients.weight
    at_least_one = np.ones(()) if weight is None else np.maximum(weight, 1.0)
    cotangent = np.abs(problem.cotangent)
    scale = cotangent / abs(solution.denominator)

    # exp, the division, and the sum Q where many classes have a part.
    sigma = 0.0 if problem.one_class else a.class_sigma(classes) + 4 * us
    growth = (1 + 2 * a.exp_ulp * u + 2 * u) * (1 + sigma) - 1
    # On both parts: products with weight, 1 / W and the cotangent, the subtraction, the result.
    spare, count_error = denominator_error(solution, a)
    products = 5 * us + (count_error / spare if spare else 0.0)
    both = (1 + us) * (1 + products)
    # On c_j alone: 1 - e, e / C, the target, the weight.
    on_c = roundings + (
        0 if problem.one_class and weight is None else 2 if problem.one_class else 4
    )
    of_c = scale * (on_c * us * both + solution.error)
    # Below the normal numbers: p, c, e / C / W (before it is scaled by w_c), the products.
    tiny = a.floor * np.maximum(np.maximum(cotangent, scale), 1.0)
    total = 0.0 if problem.one_class else float(at_least_one.sum()) * classes / at_least_one.size

    s = 1 + rows.tail
    varying = scale * mass * both * (1 + growth) / s
    on_p = both * growth + (1 + roundings) * us * (1 + products) + solution.error
    constant = (scale * mass * on_p + tiny * (mass + 2 * total)) / s
    relative_constant = np.minimum(relative.constant, _HOPELESS)

    bound = np.empty(exact.shape)
    for block in rows.blocks():
        d = np.minimum(rows.distances(block), FAR)
        t = np.multiply(d, relative.slope, out=bound[block])
        t += relative_constant[block, None]
        np.expm1(t, out=t)
        t *= varying[block, None]
        t += constant[block, None]
        t *= rows.exponentials(d, block)
        t += products * exact[block]
        here = tiny[block, None] if tiny.ndim else tiny
        t += 2 * here * (1 + at_least_one) + TINY
        coefficients.add_to(t, of_c + tiny, block)

    largest = np.maximum(mass, 1.0) * np.maximum(cotangent, scale) * float(at_least_one.max())
    loose = ~(largest <= a.limit) | ~(relative.constant < _HOPELESS)
    if not spare:  # the denominator may be zero, or overflow
        loose[:] = True
        if not np.any(solution.factor) and not problem.label_smoothing:
            loose[:] = False  # it is zero: 0/0 in all rows that are kept
            bound[:] = 0.0
    bound[loose] = np.inf
    if rows.hopeless is not None:
        bound[rows.hopeless] = 0.0
    bound[problem.ignored] = 0.0
    return bound
