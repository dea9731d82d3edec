"""How far a right implementation may be from the exact loss and gradient: a number per element.

Each bound is a running error analysis of the formulas, with explicit constants and without
hidden second-order terms, under the roundings that an `Arithmetic` allows.  Notation:

    m = max x_j   d_j = m - x_j >= 0   s = sum_j exp(-d_j) = 1 + tail   p_j = exp(-d_j) / s
    l_j = log s + d_j   u: elementwise   u_s: storage   sigma: a sum, relative to its terms

A bound is infinite where nothing can be required: where an intermediate may overflow, or where a
denominator of weights may cancel to zero.  It is 0 where the exact value is NaN or infinite because
of the input: the answer must be that value.  The oracle's own error is always part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from conformance.errors import UsageError
from conformance.spec.arithmetic import (
    Arithmetic,
    accumulates_in_float32,
    accurate,
    arithmetic,
    offset_costs_nothing,
)
from conformance.spec.oracle import Solution
from conformance.spec.softmax_rows import SoftmaxRows

__all__ = [
    "Arithmetic",
    "accumulates_in_float32",
    "accurate",
    "arithmetic",
    "decomposition_bound",
    "decomposition_gradient_bound",
    "gradient_bound",
    "loss_bound",
    "offset_costs_nothing",
]

Float64 = NDArray[np.float64]

_TINY = 2.0**-1070
"""The absolute error of the oracle."""
_FAR = 800.0
"""exp(-d) is zero beyond, in float64 too."""


def loss_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """How far each element of the loss may be off; of the result's shape."""
    with np.errstate(all="ignore"):
        error = _class_error(solution, arithmetic)
        sizes = _sizes(solution)
        weighted = error.constant * sizes.mass + error.slope * sizes.reach
        return _reduced(solution, arithmetic, _row_error(solution, arithmetic, sizes, weighted))


def gradient_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """How far each element of the gradient may be off; of the logits' shape."""
    with np.errstate(all="ignore"):
        error = _class_error(solution, arithmetic)
        # p = exp(d) / s, or p = exp of a log-probability that is off by E_j.
        u = arithmetic.elementwise.unit_roundoff
        slope = error.slope + (arithmetic.argument - 1) * u
        relative = _Affine(np.minimum(error.constant, 600.0), slope)
        bound = _gradient_error(solution, arithmetic, relative)
        return solution.problem.to_logits(bound)


# ------------------------------------------------------------------------------- log-probabilities


class _Affine(NamedTuple):
    """An error bound constant + slope d_c for each class c of a row."""

    constant: Float64  # (M,)
    slope: float


def _class_error(solution: Solution, a: Arithmetic) -> _Affine:
    """A2: the error E_c of -log p_c = log s + d_c, for every class.

    Both terms are non-negative: no cancellation.  Class A rounds d_c and the sum.  Class B rounds
    m + log s, once and at every merge, before the small difference to x_c is taken.
    """
    rows = solution.softmax
    u, us = a.elementwise.unit_roundoff, a.storage.unit_roundoff
    log_sum = rows.log_sum
    constant = _log_sum_error(rows, a)
    slope = u
    if a.lse_first:
        ub = us if a.stores_intermediates else u
        sizes = np.abs(rows.maximum) + log_sum + constant
        merging = a.merges * a.class_sum.unit_roundoff
        constant = constant + (ub * (1 + ub) + merging * (1 + ub)) * sizes
    constant = constant * (1 + u) + u * log_sum  # the subtraction
    slope = slope * (1 + u) + u
    if a.stores_intermediates or a.storage is not a.elementwise:
        constant = constant * (1 + us) + us * log_sum
        slope = slope * (1 + us) + us
    return _Affine(constant + a.floor, slope)


def _sum_error(rows: SoftmaxRows, a: Arithmetic) -> Float64:
    """A1: the relative error of s, (M,).

    rho: what the terms exp(-d_j) are off, relative to s: exp itself for d_j > 0 (exp(0) is exact),
    its rounded argument, terms lost below the normal numbers, and the rescalings of a merge.
    """
    u = a.elementwise.unit_roundoff
    epsilon = 2 * a.exp_ulp * u
    s = 1 + rows.tail
    rho = epsilon * rows.below_top + (1 + epsilon) * _argument_error(rows, a)
    rho += _lost(rows, a) / s
    if a.merges:
        rho += (a.merges * a.merge) * (rows.tail / s)

    # Summation: sigma s, but also s H/2, H being the entropy of p in bits.  A node of the tree of
    # additions with children a >= b errs by at most min(u (a + b), b), since a is representable;
    # binary entropy satisfies h(q) >= 2 q on [0, 1/2], so that by the chain rule
    # H(p) = sum over nodes of (a + b)/s h(b/(a + b)) >= sum 2 b/s.  (4 h u: computed children.)
    classes = rows.logits.shape[1]
    height_u = a.class_height(classes) * a.class_sum.unit_roundoff
    half_entropy = (0.5 / np.log(2) * (1 + min(1.0, 4 * height_u))) * (rows.log_sum + rows.spread)
    summing = np.minimum(a.class_sigma(classes), half_entropy)
    relative = rho + summing + rho * summing
    if classes > a.limit:
        relative[s * (1 + relative) > a.limit] = np.inf
    return relative


def _log_sum_error(rows: SoftmaxRows, a: Arithmetic) -> Float64:
    """A1: the error of log s, (M,)."""
    u = a.elementwise.unit_roundoff
    relative = _sum_error(rows, a)
    # |log(s (1 + r)) - log s|; the computed sum holds exp(0) = 1, so its logarithm is >= 0.
    error = -np.log1p(-np.minimum(relative, 1.0))
    error = np.minimum(error, np.maximum(rows.log_sum, np.log1p(relative)))
    size = rows.log_sum + error
    error += (2 * a.log_ulp * u) * size
    if a.stores_intermediates:  # s and log s, once each; s = 1 + tail rounds to 1 at most by tail
        us = a.storage.unit_roundoff
        moved = rows.tail / (1 + rows.tail) + relative
        error += np.minimum(us, moved) * (1 + relative) + us * (size + us)
    error[np.isinf(relative)] = np.inf
    return error


def _argument_error(rows: SoftmaxRows, a: Arithmetic) -> Float64:
    """sum_j p_j (exp(k u d_j) - 1): the argument -d_j of exp is off by k u d_j.

    To first order k u (H - log s) <= k u log C: a wide range of logits costs nothing.
    """
    k = a.argument * a.elementwise.unit_roundoff
    if k * _FAR < 2.0**-10:
        return k * (1 + k * _FAR) * rows.spread  # exp(t) - 1 <= t (1 + t) for t <= 1
    return rows.mean(lambda d: np.expm1(np.minimum(d, _FAR) * k))


def _lost(rows: SoftmaxRows, a: Arithmetic) -> Float64 | float:
    """What sum_j exp(-d_j) may lose because its small terms are subnormal or flushed to zero."""
    omega, eta = a.elementwise.smallest_normal, a.elementwise.smallest_subnormal
    classes = rows.logits.shape[1]
    if classes * omega < a.elementwise.unit_roundoff ** 3:
        return classes * omega
    return rows.total(lambda d, e: np.where(e < omega, np.minimum(omega, e + eta), 0.0))


# ------------------------------------------------------------------------------------------ losses


class _Sizes(NamedTuple):
    """Sums of magnitudes over the classes of each row, (M,) each."""

    mass: Float64  # Q = sum |c_c|, the coefficients of the log-probabilities
    reach: Float64  # sum |c_c| d_c
    own: Float64  # sum |q_c w_c| l_c: the part that smoothing scales by 1 - e
    overall: Float64 | None  # sum |w_c| l_c, which smoothing scales by e / C
    largest: Float64 | None  # of d_c, where all classes have a part


def _sizes(solution: Solution) -> _Sizes:
    problem, rows = solution.problem, solution.softmax
    size = np.abs(solution.factor)
    weight = None if problem.weight is None else np.abs(problem.weight)
    if problem.soft:
        q = np.abs(problem.target)
        if weight is not None:
            q *= weight
        own_mass = q.sum(1)
        own_reach, largest = rows.weighted_distances(q)
    else:
        label = problem.target * problem.kept
        own_mass = size
        own_reach = size * (rows.maximum - rows.logits[np.arange(len(label)), label])
    own = own_mass * rows.log_sum + own_reach
    e = problem.label_smoothing
    if not e:
        return _Sizes(own_mass, own_reach, own, None, largest if problem.soft else None)
    classes = rows.logits.shape[1]
    flat_mass = float(classes) if weight is None else float(weight.sum())
    flat_reach, largest = rows.weighted_distances(weight)
    each = e / classes * problem.kept
    return _Sizes(
        (1 - e) * own_mass + each * flat_mass,
        (1 - e) * own_reach + each * flat_reach,
        own,
        flat_mass * rows.log_sum + flat_reach,
        largest,
    )


def _row_error(solution: Solution, a: Arithmetic, sizes: _Sizes, weighted: Float64) -> Float64:
    """A2 times the weight, or A4: the errors of the losses before reduction, (M,).

    weighted: (M,), the sum of |c_c| E_c.
    """
    problem, rows = solution.problem, solution.softmax
    us = a.storage.unit_roundoff
    size = sizes.mass * rows.log_sum + sizes.reach
    bound = weighted.copy()
    if sizes.largest is None:  # one class
        if problem.weight is not None:
            bound += us * (size + bound)
            bound += a.floor
            bound[(sizes.mass == 0) & np.isfinite(weighted)] = 0.0
        beyond = size + bound
    else:
        # A4: two products a class (weight, target or e / C), their sum, and that sum stored.
        total = size + bound
        sigma = a.class_sigma(rows.logits.shape[1])
        bound += (4.1 * us + sigma * (1 + 4.1 * us)) * total
        # The coefficients 1 - e (absolute error u_s e), e / C (which may be subnormal), final sum.
        bound += 4 * us * (size + bound) + a.floor
        beyond = np.maximum(total, sizes.largest)
        if sizes.overall is not None:
            bound += (us * problem.label_smoothing) * sizes.own + a.floor * sizes.overall
            beyond = np.maximum(beyond, sizes.overall)
        if a.lse_first:  # also Q LSE - sum c_c x_c;  |x_c| <= |m| + d_c
            top = np.abs(rows.maximum)
            bound += 3 * us * sizes.mass * (top + rows.log_sum)
            bound += (4 * us + sigma) * (sizes.mass * top + sizes.reach)
    bound += solution.error * size + _TINY
    bound[~(beyond <= a.limit)] = np.inf
    if rows.masked is not None:
        bound[~np.isfinite(solution.loss_rows.hi) & np.isfinite(weighted)] = 0.0
    bound[problem.ignored] = 0.0
    return bound


def _reduced(solution: Solution, a: Arithmetic, rows: Float64) -> Float64:
    """A3: the sum or mean of the losses of all rows, each with its error."""
    problem = solution.problem
    exact = solution.loss.hi
    largest = a.storage.largest
    if problem.reduction == "none":
        size = np.abs(solution.loss_rows.hi) + rows
        rows[(size > largest) & (rows > 0)] = np.inf
        return problem.to_result(rows)
    bound = _sum_or_mean_error(solution, a, rows)
    if np.isnan(exact):
        bound = 0.0
    elif np.isinf(exact):  # certain where a row is infinite because of a logit, and only then
        certain = solution.softmax.masked is not None and np.isfinite(rows).all()
        bound = 0.0 if certain and _denominator_error(solution, a)[0] > 0 else np.inf
    elif not abs(float(exact)) + bound <= largest:
        bound = np.inf
    return np.asarray(bound)


def _sum_or_mean_error(solution: Solution, a: Arithmetic, rows: Float64) -> float:
    us, ur = a.storage.unit_roundoff, a.batch_sum.unit_roundoff
    sizes = np.abs(solution.loss_rows.hi)
    total = float(sizes.sum() + rows.sum())
    if not total:
        return 0.0
    sum_error = float(rows.sum()) + a.batch_sigma(len(rows)) * total + solution.error * total
    if total > a.limit or _overall(solution) > a.limit:
        return np.inf
    if solution.problem.reduction == "sum":
        size = abs(float(solution.loss.hi))
        return sum_error + us * (size + sum_error) + a.floor
    spare, count_error = _denominator_error(solution, a)
    if not spare:
        return np.inf
    size = abs(float(solution.loss.hi))
    bound = (sum_error + size * count_error) / spare
    bound += 2 * ur * (size + bound)
    return bound + us * (size + bound) + a.floor


def _overall(solution: Solution) -> float:
    """The sum over rows and classes that smoothing scales by e / C only at the end."""
    if not solution.problem.label_smoothing or solution.problem.soft:
        return 0.0
    overall = _sizes(solution).overall
    assert overall is not None
    return float((overall * solution.problem.kept).sum())


def _denominator_error(solution: Solution, a: Arithmetic) -> tuple[float, float]:
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


# --------------------------------------------------------------------------------------- gradients


def _gradient_error(
    solution: Solution, a: Arithmetic, relative: _Affine, steps: int = 0
) -> Float64:
    """A5: g_j = scale (Q p_j - c_j), where p_j is off by exp(relative error) - 1; (M, C).

    Near p_y = 1 only the absolute accuracy of g_y = p_y - 1 is bounded.  ``steps`` is a number of
    further roundings of both p_j and c_j.
    """
    problem, rows = solution.problem, solution.softmax
    if solution.gradient is None:
        raise UsageError("the solution has no gradient: solve(problem, gradient=True)")
    exact = problem.to_rows(solution.gradient.hi)
    classes = rows.logits.shape[1]
    u, us = a.elementwise.unit_roundoff, a.storage.unit_roundoff
    every = problem.soft or problem.label_smoothing > 0  # all classes have a coefficient
    weight = None if problem.weight is None else np.abs(problem.weight)
    cotangent = np.abs(problem.cotangent)
    scale = cotangent / abs(solution.denominator)
    coefficients = _Coefficients(solution)
    mass = coefficients.mass

    # p: exp and the division; the sum of coefficients where there are many.
    e2 = 2 * a.exp_ulp * u + 2 * u
    sigma = a.class_sigma(classes) + 4 * us if every else 0.0
    growth = e2 + sigma + e2 * sigma
    # Products with weight, 1 / W and the cotangent, the subtraction, and the result stored.
    products = 5 * us
    spare, count_error = _denominator_error(solution, a)
    products += count_error / spare if spare else 0.0  # 0: see the corners
    after = 1 + products
    rounded = (1 + us) * after
    # Numbers below the normal ones: p, c, e / C / W (before it is scaled by w_c), the products.
    tiny = a.floor * np.maximum(np.maximum(cotangent, scale), 1.0)
    largest_weight = None if weight is None else np.maximum(weight, 1.0)
    sum_weight = 0.0
    if every:
        sum_weight = classes if largest_weight is None else float(largest_weight.sum())
    roundings = steps + (4 if every else 0 if weight is None else 2)
    of_c = scale * (roundings * us * rounded)
    of_c = of_c + (scale * solution.error + tiny)

    s = 1 + rows.tail
    varying = scale * mass * rounded * (1 + growth) / s
    constant = scale * mass * (rounded * growth + (1 + steps) * us * after + solution.error)
    constant = (constant + tiny * (mass + 2 * sum_weight)) / s
    flat = 2 * tiny + _TINY

    bound = np.empty(exact.shape)
    for block in rows.blocks():
        d = np.minimum(rows.distances(block), _FAR)
        t = np.multiply(d, relative.slope, out=bound[block])
        t += relative.constant[block, None]
        np.expm1(t, out=t)
        t *= varying[block, None]
        t += constant[block, None]
        t *= rows.exponentials(d, block)
        t += products * np.abs(exact[block])
        t += _column(flat, block)
        if largest_weight is None:
            t += 2 * _column(tiny, block)
        else:
            t += 2 * _column(tiny, block) * largest_weight
        coefficients.add_to(t, of_c, block)
    return _gradient_corners(solution, a, bound, relative, mass, scale)


def _column(values: Float64, block: slice) -> Float64:
    """One value a row, or one for all rows."""
    return values[block, None] if values.ndim else values


class _Coefficients:
    """|c_j|: what multiplies the log-probabilities."""

    def __init__(self, solution: Solution) -> None:
        self.problem = problem = solution.problem
        self.own = np.abs(solution.factor)
        self.weight = None if problem.weight is None else np.abs(problem.weight)
        self.kept = problem.kept
        self.each = problem.label_smoothing / problem.logits.shape[1]
        if problem.soft:
            c = (1 - problem.label_smoothing) * np.abs(problem.target) + self.each
            self.matrix = c if self.weight is None else c * self.weight
            self.mass = self.matrix.sum(1)
            return
        self.mass = (1 - problem.label_smoothing) * self.own
        if problem.label_smoothing:
            total = problem.logits.shape[1] if self.weight is None else self.weight.sum()
            self.mass += (self.each * total) * self.kept

    def add_to(self, bound: Float64, factor: Float64, block: slice) -> None:
        """Add |c_j| times a factor, one a row or one for all, in place."""
        factor = _column(factor, block)
        if self.problem.soft:
            bound += self.matrix[block] * factor
            return
        if self.each:
            share = self.each * factor
            bound += share if self.weight is None else share * self.weight
        label = (self.problem.target * self.kept)[block]
        own = self.own[block] * (factor[:, 0] if factor.ndim else factor)
        bound[np.arange(len(label)), label] += own


def _gradient_corners(
    solution: Solution,
    a: Arithmetic,
    bound: Float64,
    relative: _Affine,
    mass: Float64,
    scale: Float64,
) -> Float64:
    """Infinite where nothing can be required, zero where the value is certain; in place."""
    problem, rows = solution.problem, solution.softmax
    cotangent = np.abs(problem.cotangent)
    largest = np.maximum(mass, 1.0) * np.maximum(cotangent, scale)
    if problem.weight is not None:
        largest = largest * max(1.0, float(np.abs(problem.weight).max()))
    loose = ~(largest <= a.limit) | ~(relative.constant < 600.0)
    if not _denominator_error(solution, a)[0]:  # the denominator may be zero, or overflow
        loose[:] = True
        if not np.any(solution.factor) and not problem.label_smoothing:
            loose[:] = False  # it is zero: 0/0 in all rows that are kept
            bound[:] = 0.0
    if loose.any():
        bound[loose] = np.inf
    if rows.hopeless is not None:
        bound[rows.hopeless] = 0.0
    bound[problem.ignored] = 0.0
    return bound


# --------------------------------------------------------------------------- softmax -> log -> NLL


def decomposition_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """A6: how far softmax -> log -> NLL may be from the exact loss; of the result's shape.

    It is as good as the fused loss while the stored p_y is a normal number, and infinite where a
    p_y of zero, and so a loss of +inf, is legitimate.  The softmax subtracts the maximum first.
    """
    with np.errstate(all="ignore"):
        sizes = _sizes(solution)
        weighted = _weighted_chain_error(solution, arithmetic)
        return _reduced(solution, arithmetic, _row_error(solution, arithmetic, sizes, weighted))


def decomposition_gradient_bound(solution: Solution, arithmetic: Arithmetic) -> Float64:
    """The same for the gradient, p_j (G_j - sum_k G_k p_k) with G_k = -c_k / p_k.

    Of the logits' shape; infinite in rows where a p_j may be zero (log's derivative is 0/0 there)
    or c_k / p_k overflows.  The error of p_k cancels in the products G_k p_k; what remains is
    A5 and ten more roundings.
    """
    with np.errstate(all="ignore"):
        problem, rows = solution.problem, solution.softmax
        relative = _Affine(
            -np.log1p(-np.minimum(_sum_error(rows, arithmetic), 1.0)),
            arithmetic.argument * arithmetic.elementwise.unit_roundoff,
        )
        clipped = relative._replace(constant=np.minimum(relative.constant, 600.0))
        bound = _gradient_error(solution, arithmetic, clipped, steps=10)
        d = rows.distances(slice(None))
        p = rows.exponentials(d, slice(None)) / (1 + rows.tail)[:, None]
        safe = arithmetic.floor / p < 0.5
        scale = np.abs(problem.cotangent) / abs(solution.denominator)
        ratio = np.zeros(p.shape)
        coefficients = _Coefficients(solution)
        coefficients.add_to(ratio, np.asarray(scale), slice(None))
        safe &= 2 * ratio <= arithmetic.storage.largest * p
        well = safe.all(1)
        if rows.hopeless is not None:  # NaN in, NaN out; but 0 * NaN in ignored rows
            well = (well & np.isfinite(problem.logits).all(1)) | rows.hopeless
        bound[~well] = np.inf
        return problem.to_logits(bound)


def _weighted_chain_error(solution: Solution, a: Arithmetic) -> Float64:
    """(M,): the sum of |c_c| E_c, E_c being the error of log of the stored p_c."""
    problem, rows = solution.problem, solution.softmax
    u, us = a.elementwise.unit_roundoff, a.storage.unit_roundoff
    everything = slice(None)
    d = rows.distances(everything)
    one_class = not problem.soft and not problem.label_smoothing
    if one_class:
        label = problem.target * problem.kept
        d = d[np.arange(len(d)), label][:, None]
    log_p = rows.log_sum[:, None] + d
    # The stored p is at least p exp(-t) (1 - r) - floor.
    t = -np.log1p(-np.minimum(_sum_error(rows, a), 1.0))[:, None] + a.argument * u * d
    r = 2 * a.exp_ulp * u + 2 * u
    r += (2 * us if a.stores_intermediates else us) * (1 + r)  # p, and perhaps s
    error = t - np.log1p(-np.minimum(r + a.floor * np.exp(t + log_p), 1.0))
    size = log_p + error
    error += (2 * a.log_ulp * u + us) * size + a.floor
    if one_class:
        weighted = np.abs(solution.factor) * error[:, 0]
    else:
        if rows.masked is not None:
            error[rows.masked] = 0.0  # log 0 = -inf, as it should be
        weights = np.zeros(error.shape)
        _Coefficients(solution).add_to(weights, np.ones(()), everything)
        weighted = (weights * error).sum(1)
    weighted[np.isinf(error).any(1)] = np.inf  # also where the coefficient is 0: 0 * inf
    return weighted
