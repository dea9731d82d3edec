"""The rounding errors of sum_j exp(x_j), of its logarithm, and of log-probabilities.

Notation, here and in the bounds:  m = max x_j,  d_j = m - x_j >= 0,  s = sum_j exp(-d_j),
tail = s - 1,  p_j = exp(-d_j) / s,  l_j = log s + d_j;  u is the unit roundoff of elementwise
operations, u_s that of the storage format, sigma the error of a sum relative to that of its terms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from conformance.spec.arithmetic import Arithmetic
from conformance.spec.softmax_rows import SoftmaxRows

Float64 = NDArray[np.float64]

FAR = 800.0
"""exp(-d) is zero beyond, in float64 too."""


class Affine(NamedTuple):
    """A bound constant + slope d_c for each class c of a row."""

    constant: Float64  # (M,)
    slope: float


def log_probability_error(rows: SoftmaxRows, a: Arithmetic) -> Affine:
    """The error E_c of -log p_c = log s + d_c, for every class.

    Both terms are non-negative: no cancellation.  Class A rounds d_c and the sum.  Class B rounds
    m + log s, once and at every merge, before the small difference to x_c is taken.
    """
    u, us = a.elementwise.unit_roundoff, a.storage.unit_roundoff
    log_sum = rows.log_sum
    constant, slope = log_sum_error(rows, a), u
    if a.lse_first:
        once = us if a.stores_intermediates else u
        merging = a.merges * a.class_sum.unit_roundoff
        size = np.abs(rows.maximum) + log_sum + constant
        constant = constant + ((once + merging) * (1 + once)) * size
    # The subtraction; and the log-probability stored.
    constant, slope = constant * (1 + u) + u * log_sum, slope * (1 + u) + u
    if a.stores_intermediates or a.storage is not a.elementwise:
        constant, slope = constant * (1 + us) + us * log_sum, slope * (1 + us) + us
    return Affine(constant + a.floor, slope)


def log_sum_error(rows: SoftmaxRows, a: Arithmetic) -> Float64:
    """The error of log s, (M,)."""
    u, us = a.elementwise.unit_roundoff, a.storage.unit_roundoff
    relative = sum_error(rows, a)
    # |log(s (1 + r)) - log s|; the computed sum holds exp(0) = 1, so its logarithm is >= 0.
    error = -np.log1p(-np.minimum(relative, 1.0))
    error = np.minimum(error, np.maximum(rows.log_sum, np.log1p(relative)))
    size = rows.log_sum + error
    error += (2 * a.log_ulp * u) * size
    if a.stores_intermediates:  # s and log s, once each; rounding 1 + tail loses at most the tail
        moved = rows.tail / (1 + rows.tail) + relative
        error += np.minimum(us, moved) * (1 + relative) + us * (size + us)
    error[np.isinf(relative)] = np.inf
    return error


def sum_error(rows: SoftmaxRows, a: Arithmetic) -> Float64:
    """The relative error of s, (M,); infinite where the sum may overflow."""
    u = a.elementwise.unit_roundoff
    s = 1 + rows.tail
    # The terms: exp itself for d_j > 0 (exp(0) is exact), its rounded argument, terms lost below
    # the normal numbers, and rescaling: of what was summed before the maximum, so of the tail.
    epsilon = 2 * a.exp_ulp * u
    terms = epsilon * rows.below_top + (1 + epsilon) * _argument_error(rows, a)
    terms += _lost(rows, a) / s
    if a.merges:
        terms += (a.merges * a.merge) * (rows.tail / s)

    # The sum: sigma s, but also s H/2, H being the entropy of p in bits.  A node of the tree of
    # additions with children a >= b errs by at most min(u (a + b), b), since a is representable;
    # binary entropy satisfies h(q) >= 2 q on [0, 1/2], so that by the chain rule
    # H(p) = sum over nodes of (a + b)/s h(b/(a + b)) >= sum 2 b/s.  (4 h u: computed children.)
    classes = rows.logits.shape[1]
    height_u = a.class_height(classes) * a.class_sum.unit_roundoff
    entropy = (rows.log_sum + rows.spread) / np.log(2)
    half_entropy = (0.5 * (1 + min(1.0, 4 * height_u))) * entropy
    summing = np.minimum(a.class_sigma(classes), half_entropy)

    relative: Float64 = terms + summing + terms * summing
    if classes > a.limit:
        relative[s * (1 + relative) > a.limit] = np.inf
    return relative


def _argument_error(rows: SoftmaxRows, a: Arithmetic) -> Float64:
    """sum_j p_j (exp(k u d_j) - 1): the argument -d_j of exp is off by k u d_j.

    To first order k u (H - log s) <= k u log C: a wide range of logits costs nothing.
    """
    ku = a.argument * a.elementwise.unit_roundoff
    if ku * FAR < 2.0**-10:
        return ku * (1 + ku * FAR) * rows.spread  # exp(t) - 1 <= t (1 + t) for t <= 1
    return rows.mean(lambda d: np.expm1(np.minimum(d, FAR) * ku))


def _lost(rows: SoftmaxRows, a: Arithmetic) -> Float64 | float:
    """What sum_j exp(-d_j) may lose because its small terms are subnormal or flushed to zero."""
    omega, eta = a.elementwise.smallest_normal, a.elementwise.smallest_subnormal
    every_term: float = rows.logits.shape[1] * omega
    if every_term < a.elementwise.unit_roundoff**3:
        return every_term
    return rows.total(lambda d, e: np.where(e < omega, np.minimum(omega, e + eta), 0.0))
