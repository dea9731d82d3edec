"""How far a right implementation may be from the exact loss and gradient: a number per element.

Each bound is a running error analysis of the formulas, with explicit constants and without hidden
second-order terms, under the roundings that an `Arithmetic` allows; the reason stands beside each
line (`softmax_error`, `loss_bounds`, `gradient_bounds`).  There is no absolute tolerance.

A bound is infinite where nothing can be required: where an intermediate may overflow, or where a
denominator of weights may cancel to zero.  It is 0 where the exact value is NaN or infinite because
of the input: the answer must be that value.  The oracle's own error is always part of it.
"""

from __future__ import annotations

from conformance.spec.arithmetic import (
    Arithmetic,
    accumulates_in_float32,
    accurate,
    arithmetic,
    offset_costs_nothing,
    simd8,
    wide,
)
from conformance.spec.derivative_bounds import (
    difference_bound,
    hvp_bound,
    jvp_bound,
    target_vjp_bound,
)
from conformance.spec.gradient_bounds import decomposition_gradient_bound, gradient_bound
from conformance.spec.loss_bounds import decomposition_bound, loss_bound, relative_bound

__all__ = [
    "Arithmetic",
    "accumulates_in_float32",
    "accurate",
    "arithmetic",
    "decomposition_bound",
    "decomposition_gradient_bound",
    "difference_bound",
    "gradient_bound",
    "hvp_bound",
    "jvp_bound",
    "loss_bound",
    "offset_costs_nothing",
    "relative_bound",
    "simd8",
    "target_vjp_bound",
    "wide",
]
