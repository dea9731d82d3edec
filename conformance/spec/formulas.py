"""What is right: every formula of cross-entropy as code that reads like the formula.

These functions are the normative statement; the oracle and the bounds are judged against them.
They are exact in the sense that they say which real number is meant: evaluated in `FLOAT64` they
overflow as the naive formula does, evaluated in a multiple-precision arithmetic they are the truth.
The tests do the latter with mpmath, through the very same code.

Notation: x logits, y class indices, q class probabilities, w class weights, i the ignore_index,
e the label smoothing, p = softmax(x), g the cotangent.  Rows are (M, C): M positions, C classes.
Sources: the documentation of torch.nn.CrossEntropyLoss and torch.nn.NLLLoss ("torch"), whose
semantics this suite takes as the reference; the gradients follow from
d log_softmax(x)_c / d x_j = [c = j] - softmax(x)_j.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = Any
"""A NumPy array of numbers that know + - *: float64, or objects of any other arithmetic."""


class Numbers(NamedTuple):
    """The numbers in which a formula is evaluated: arrays with + - * and these functions."""

    number: Callable[[Any], Array]
    """The exact image of float64 values."""
    exp: Callable[[Array], Array]
    log: Callable[[Array], Array]
    divide: Callable[[Array, Array], Array]
    """With 0/0 NaN and x/0 infinite."""


FLOAT64 = Numbers(lambda values: np.asarray(values, np.float64), np.exp, np.log, np.divide)


# ------------------------------------------------------------------ softmax, log and NLL, on rows


def softmax(x: Array, *, numbers: Numbers = FLOAT64) -> Array:
    """Probabilities of logits.

    p_c = exp(x_c) / sum_j exp(x_j)

    x: (M, C).  Returns (M, C).  Source: torch.nn.Softmax.
    """
    e = numbers.exp(x)
    return numbers.divide(e, e.sum(-1, keepdims=True))


def log_softmax(x: Array, *, numbers: Numbers = FLOAT64) -> Array:
    """Log-probabilities of logits.

    log p_c = x_c - log sum_j exp(x_j)

    x: (M, C).  Returns (M, C).  Source: torch.nn.LogSoftmax.
    """
    return x - numbers.log(numbers.exp(x).sum(-1, keepdims=True))


def nll(log_p: Array, y: Array) -> Array:
    """Negative log-likelihood of the target classes.

    -log p_y

    log_p: (M, C).  y: (M,), in [0, C).  Returns (M,).  Source: torch.nn.NLLLoss.
    """
    return -log_p[np.arange(len(y)), y]


# ------------------------------------------------------------------------- the loss of each row


def class_index_loss(
    x: Array, y: Array, w: Array, e: Array, *, numbers: Numbers = FLOAT64
) -> Array:
    """The loss of each row for class indices.

    l = (1 - e) w_y (-log p_y) + (e / C) sum_c w_c (-log p_c);  without smoothing l = w_y (-log p_y)

    x: (M, C).  y: (M,).  w: (C,).  e: ().  Returns (M,).  Source: torch, the two equations of
    class indices and of probabilities, the latter at the smoothed one-hot target.
    """
    log_p = log_softmax(x, numbers=numbers)
    l = w[y] * nll(log_p, y)  # noqa: E741
    if e == 0:
        return l
    return (1 - e) * l + e / x.shape[1] * (w * -log_p).sum(-1)


def smoothed(q: Array, e: Array) -> Array:
    """A target mixed with the uniform distribution.

    q' = (1 - e) q + e / C

    q: (M, C).  e: ().  Returns (M, C).  Source: Szegedy et al., "Rethinking the Inception
    Architecture" (2016), section 7; torch, label_smoothing.
    """
    return (1 - e) * q + e / q.shape[1]


def probability_loss(
    x: Array, q: Array, w: Array, e: Array, *, numbers: Numbers = FLOAT64
) -> Array:
    """The loss of each row for class probabilities, which need not sum to one.

    l = -sum_c w_c q'_c log p_c

    x, q: (M, C).  w: (C,).  e: ().  Returns (M,).  Source: torch, the equation of probabilities.
    """
    log_p = log_softmax(x, numbers=numbers)
    return -(w * smoothed(q, e) * log_p).sum(-1)


# ---------------------------------------------------------------------------------- reductions


def legacy_reduction(size_average: bool | None = None, reduce: bool | None = None) -> str:
    """The reduction that the deprecated arguments ask for.

    reduce = False: none;  size_average = False: sum;  else mean.  None means True.

    Source: torch, size_average and reduce.
    """
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def denominator(reduction: str, rows: int, factor: Array | None) -> Array | float:
    """What the sum of the losses is divided by.

    mean: the sum over the kept rows of w_y for class indices, M for probabilities;  else 1

    factor: (M,), w_y in kept rows and 0 in ignored ones, or None for probabilities.
    Source: torch, the two cases of reduction = mean; the weights count also under smoothing.
    """
    if reduction != "mean":
        return 1.0
    return float(rows) if factor is None else factor.sum()


# ------------------------------------------------------------- the loss, and its gradient


def cross_entropy(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    *,
    numbers: Numbers = FLOAT64,
) -> Array:
    """The fused loss.

    none: l;  sum: sum l;  mean: (sum l) / denominator;  l = 0 where y = i

    logits: (C,), (N, C) or (N, C, d1, .., dk).  target: integers without the class axis, or
    probabilities of the logits' shape.  weight: (C,).  Returns (), (N,), (N, d1, .., dk), or ().
    Source: torch.nn.CrossEntropyLoss.
    """
    x, y, w, e = _arguments(logits, target, weight, label_smoothing, numbers)
    if y.ndim == 2:
        l = probability_loss(x, y, w, e, numbers=numbers)  # noqa: E741
        factor = None
    else:
        kept = y != ignore_index
        y = np.where(kept, y, 0)
        l = _where(kept, class_index_loss(x, y, w, e, numbers=numbers))  # noqa: E741
        factor = _where(kept, w[y])
    if reduction == "none":
        return _positions(l, logits.shape)
    return numbers.divide(l.sum(), numbers.number(denominator(reduction, len(l), factor)))


def vjp(
    cotangent: Array,
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    *,
    numbers: Numbers = FLOAT64,
) -> Array:
    """The gradient of <cotangent, loss> with respect to the logits.

    class indices: g [(1 - e) w_y (p - onehot_y) + (e / C) (p sum_c w_c - w)], 0 where y = i
    probabilities: g [p sum_c w_c q'_c - w q'];  g is the cotangent over the denominator

    Arguments as for `cross_entropy`; cotangent: of the loss's shape.  Returns the logits' shape.
    """
    x, y, w, e = _arguments(logits, target, weight, label_smoothing, numbers)
    p = softmax(x, numbers=numbers)
    if y.ndim == 2:
        c = w * smoothed(y, e)
        slope = p * c.sum(-1, keepdims=True) - c
        factor, kept = None, np.ones(len(y), bool)
    else:
        kept = y != ignore_index
        y = np.where(kept, y, 0)
        factor = _where(kept, w[y])
        onehot = np.arange(x.shape[1]) == y[:, None]
        slope = (1 - e) * w[y][:, None] * (p - onehot)
        slope = slope + e / x.shape[1] * (p * w.sum() - w)
    scale = _scale(cotangent, reduction, len(x), factor, numbers)
    slope = _where(kept[:, None], scale.reshape(-1, 1) * slope)
    return _like_logits(slope, logits.shape)


# --------------------------------------------------------------- derivatives beyond the gradient


def jvp(
    tangent: Array,
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    *,
    numbers: Numbers = FLOAT64,
) -> Array:
    """The derivative of the loss along a tangent v of the logits: forward mode.

    none: <dl/dx, v> of each row;  sum and mean: <d loss/dx, v>

    Arguments as for `cross_entropy`; tangent: of the logits' shape.  Returns the loss's shape.
    """
    options = (weight, ignore_index, label_smoothing, reduction)
    rows = rows_of(logits).shape[0]
    ones = np.ones(rows if reduction == "none" else ())
    slope = vjp(ones, logits, target, *options, numbers=numbers)
    products = rows_of(slope) * numbers.number(rows_of(tangent))
    if reduction == "none":
        return _positions(products.sum(-1), logits.shape)
    return products.sum()


def hvp(
    cotangent: Array,
    tangent: Array,
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    *,
    numbers: Numbers = FLOAT64,
) -> Array:
    """The Hessian of <cotangent, loss> with respect to the logits, times a tangent v.

    g Q [p * v - p <p, v>], 0 where y = i;  g is the cotangent over the denominator
    class indices: Q = (1 - e) w_y + (e / C) sum_c w_c;  probabilities: Q = sum_c w_c q'_c

    Arguments as for `vjp`; tangent: of the logits' shape.  Returns the logits' shape.
    Source: the derivative of `vjp` along v, by d p_j / d x_i = p_j ([i = j] - p_i).
    """
    x, y, w, e = _arguments(logits, target, weight, label_smoothing, numbers)
    p, v = softmax(x, numbers=numbers), numbers.number(rows_of(tangent))
    if y.ndim == 2:
        mass = (w * smoothed(y, e)).sum(-1)
        factor, kept = None, np.ones(len(y), bool)
    else:
        kept = y != ignore_index
        y = np.where(kept, y, 0)
        mass = (1 - e) * w[y] + e / x.shape[1] * w.sum()
        factor = _where(kept, w[y])
    curvature = p * v - p * (p * v).sum(-1, keepdims=True)
    scale = _scale(cotangent, reduction, len(x), factor, numbers)
    product = _where(kept[:, None], (scale * mass).reshape(-1, 1) * curvature)
    return _like_logits(product, logits.shape)


def target_vjp(
    cotangent: Array,
    logits: Array,
    target: Array,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    *,
    numbers: Numbers = FLOAT64,
) -> Array:
    """The gradient of <cotangent, loss> with respect to target probabilities.

    g (1 - e) w_c (-log p_c);  g is the cotangent over the denominator

    Arguments as for `vjp`; target: probabilities.  Returns the target's shape.
    """
    x, _, w, e = _arguments(logits, target, weight, label_smoothing, numbers)
    scale = _scale(cotangent, reduction, len(x), None, numbers)
    slope = (1 - e) * w * -log_softmax(x, numbers=numbers)
    return _like_logits(scale.reshape(-1, 1) * slope, logits.shape)


def _scale(
    cotangent: Array, reduction: str, rows: int, factor: Array | None, numbers: Numbers
) -> Array:
    """The cotangent over the denominator: of all rows, or of each where none are summed."""
    return numbers.divide(
        numbers.number(cotangent), numbers.number(denominator(reduction, rows, factor))
    )


# --------------------------------------------------------------------------------------- layout


def class_axis(shape: tuple[int, ...]) -> int:
    """The class axis is 1, and 0 for unbatched logits.  Source: torch, section "Shape"."""
    return 1 if len(shape) > 1 else 0


def rows_of(x: Array) -> Array:
    """Logits or probabilities (C,), (N, C), (N, C, d1, .., dk) as rows (M, C)."""
    axis = class_axis(x.shape)
    return np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])


def _positions(l: Array, shape: tuple[int, ...]) -> Array:  # noqa: E741
    axis = class_axis(shape)
    return l.reshape(shape[:axis] + shape[axis + 1 :])


def _like_logits(rows: Array, shape: tuple[int, ...]) -> Array:
    axis = class_axis(shape)
    return np.moveaxis(rows.reshape(*shape[:axis], *shape[axis + 1 :], -1), -1, axis)


def _arguments(
    logits: Array, target: Array, weight: Array | None, label_smoothing: float, numbers: Numbers
) -> tuple[Array, Array, Array, Array]:
    x = numbers.number(rows_of(logits))
    soft = target.dtype.kind not in "iub"
    y = numbers.number(rows_of(target)) if soft else target.reshape(-1).astype(np.int64)
    w = numbers.number(np.ones(x.shape[1]) if weight is None else weight)
    return x, y, w, numbers.number(label_smoothing)


def _where(kept: Array, values: Array) -> Array:
    """The values, and 0 where not kept, whatever they are there."""
    return np.where(kept, values, 0)
