"""The formulas of the spec evaluated with as many digits as it takes (mpmath)."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np

from conformance.spec import formulas
from conformance.spec.formulas import Numbers


def _elementwise(function):
    ufunc = np.frompyfunc(function, 1, 1)
    return lambda values: np.asarray(ufunc(values), object)


def _divide(a, b):
    def quotient(x, y):
        if y:
            return x / y
        return x * mpmath.inf if x and x == x else mpmath.nan

    return np.asarray(np.frompyfunc(quotient, 2, 1)(a, b), object)


EXACT = Numbers(
    number=_elementwise(lambda v: mpmath.mpf(float(v)) if isinstance(v, float) else +mpmath.mpf(v)),
    exp=_elementwise(mpmath.exp),
    log=_elementwise(lambda v: mpmath.log(v) if v else -mpmath.inf),
    divide=_divide,
)


def digits_for(logits) -> int:
    """Bits at which losses as small as exp(second - m), or 0, keep 2^-100 of themselves."""
    x = np.where(np.isfinite(logits), logits, 0).reshape(-1, logits.shape[-1])
    top = np.sort(x, axis=1)
    gap = (top[:, -1] - top[:, -2]).max() / np.log(2) if x.shape[1] > 1 else 1200
    return int(160 + min(gap, 2400) + np.log2(1 + np.abs(x).max()))


def arguments(problem):
    """A problem as arguments of `formulas.cross_entropy`, its rows as they are."""
    return {
        "logits": problem.logits,
        "target": problem.target,
        "weight": problem.weight,
        "ignore_index": problem.ignore_index,
        "label_smoothing": problem.label_smoothing,
        "reduction": problem.reduction,
    }


def exact_loss(problem, module=formulas, numbers=EXACT):
    with mpmath.workprec(digits_for(problem.logits)):
        return np.asarray(module.cross_entropy(**arguments(problem), numbers=numbers))


def exact_gradient(problem, module=formulas, numbers=EXACT):
    """(M, C)."""
    with mpmath.workprec(digits_for(problem.logits)):
        return module.vjp(problem.cotangent, **arguments(problem), numbers=numbers)


def without_signs(problem):
    """The problem whose losses are the sums of the magnitudes of the terms of this one's."""
    return replace(
        problem,
        weight=None if problem.weight is None else np.abs(problem.weight),
        target=np.abs(problem.target) if problem.soft else problem.target,
        reduction="none",
    )


def gradient_terms(problem, denominator):
    """(M, C): p_j sum_c |c_c| + |c_j|, scaled: what a gradient under smoothing is relative to."""
    x, classes = problem.logits, problem.logits.shape[1]
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    target = problem.target
    q = np.abs(target) if problem.soft else np.eye(classes)[target * problem.kept]
    c = (1 - problem.label_smoothing) * q + problem.label_smoothing / classes
    if problem.weight is not None:
        c = c * np.abs(problem.weight)
    c = c * problem.kept[:, None]
    scale = np.abs(problem.cotangent / denominator).reshape(-1, 1)
    return scale * (p * c.sum(1, keepdims=True) + c)
