"""Cross-entropy computed in right but unusual ways, and in faulty ones, with NumPy alone.

A variant turns logits (M, C) into -log p and p, both (M, C), in its inner dtype.  `loss` and
`gradient` do the rest (target, options, reduction), every operation rounded to that dtype and every
sum accumulated in the variant's accumulation dtype; the result is rounded to that of the logits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np

Array = Any
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


# --------------------------------------------------------------------------------------- sums


def sequential(terms):
    """((t_1 + t_2) + t_3) + .."""
    return np.add.accumulate(terms, axis=-1)[..., -1] if terms.shape[-1] else terms.sum(-1)


def backward(terms):
    return sequential(terms[..., ::-1])


def pairwise(terms):
    """(first half) + (second half), recursively."""
    while terms.shape[-1] > 1:
        odd = terms[..., -1:] if terms.shape[-1] % 2 else terms[..., :0]
        half = terms.shape[-1] // 2
        terms = np.concatenate([terms[..., :half] + terms[..., half : 2 * half], odd], axis=-1)
    return sequential(terms)


def blocked(terms, size=4):
    """Sums of blocks, and then the sum of these."""
    starts = range(0, terms.shape[-1], size)
    parts = [sequential(terms[..., start : start + size]) for start in starts]
    return sequential(np.stack(parts, axis=-1)) if parts else sequential(terms)


# ------------------------------------------------------------------------- how to get -log p


@dataclass(frozen=True)
class Variant:
    """One way of computing.  The defaults are what most libraries do."""

    inner: str | None = None
    """The dtype of elementwise operations; None: that of the logits."""
    sums: str | None = None
    """The dtype in which sums accumulate; None: the inner one."""
    total: Callable[[Array], Array] = sequential
    exp: Callable[[Array], Array] = np.exp
    log: Callable[[Array], Array] = np.log
    rows: Callable[[Variant, Array], tuple[Array, Array]] | None = None
    """-log p and p of logits in the inner dtype, where it is not `shift_first`."""
    mean: Callable[[Variant, Array, Array], Array] | None = None
    """The mean of losses with weights, where it is not sum / sum."""

    def add(self, terms):
        """The sum over the last axis, in the accumulation dtype, returned in that of the terms."""
        return self.total(terms.astype(self.sums or terms.dtype)).astype(terms.dtype)

    def parts(self, logits):
        """-log p and p, (M, C) each, in the inner dtype."""
        x = logits.astype(self.inner or logits.dtype)
        with np.errstate(all="ignore"):
            return (self.rows or shift_first)(self, x)


def _shifted(v, x):
    m = x.max(-1, keepdims=True)
    e = v.exp(x - m)
    return m, x - m, e, v.add(e)[:, None]


def shift_first(v, x):
    """Class A: log s - (x - m)."""
    _, d, e, s = _shifted(v, x)
    return v.log(s) - d, e / s


def lse_first(v, x):
    """Class B: (m + log s) - x."""
    m, _, e, s = _shifted(v, x)
    return (m + v.log(s)) - x, e / s


def tail_first(v, x):
    """log1p of the sum without its largest term."""
    m = x.max(-1, keepdims=True)
    e = v.exp(x - m)
    rest = e.copy()
    rest[np.arange(len(x)), x.argmax(-1)] = 0
    return np.log1p(v.add(rest))[:, None] - (x - m), e / v.add(e)[:, None]


def base_two(v, x):
    """exp2 and log2, with logits scaled by log2 e after the shift."""
    m = x.max(-1, keepdims=True)
    d = x - m
    e = np.exp2(d * x.dtype.type(np.log2(np.e)))
    s = v.add(e)[:, None]
    return np.log2(s) * x.dtype.type(np.log(2)) - d, e / s


def online(v, x, size=3):
    """A running maximum and sum over blocks, rescaled whenever the maximum rises; class B."""
    m = np.full((len(x), 1), -np.inf).astype(x.dtype)
    s = np.zeros_like(m)
    for start in range(0, x.shape[1], size):
        block = x[:, start : start + size]
        top = np.maximum(m, block.max(-1, keepdims=True))
        s = s * v.exp(m - top) + v.add(v.exp(block - top))[:, None]
        m = top
    return (m + v.log(s)) - x, v.exp(x - m) / s


def log_add_exp(v, x):
    """The logarithm of the sum, merged class by class."""
    lse = x[:, :1]
    for j in range(1, x.shape[1]):
        a, b = np.maximum(lse, x[:, j : j + 1]), np.minimum(lse, x[:, j : j + 1])
        lse = a + np.log1p(v.exp(b - a))
    return lse - x, v.exp(x - lse)


def _up(function, ulps=3):
    """The function off by a few units in the last place, always upwards; f(0) is exact."""

    def careless(x):
        values = function(x)
        for _ in range(ulps):
            values = np.nextafter(values, values.dtype.type(np.inf))
        return np.where(x == 0, function(np.zeros_like(x)), values)

    return careless


RIGHT = {
    "sequential": Variant(),
    "backward": Variant(total=backward),
    "pairwise": Variant(total=pairwise),
    "blocked": Variant(total=blocked),
    "lse-first": Variant(rows=lse_first),
    "online": Variant(rows=online),
    "log-add-exp": Variant(rows=log_add_exp),
    "base-2": Variant(rows=base_two),
    "log1p": Variant(rows=tail_first),
    "float64-inside": Variant(inner="float64"),
}
"""In the dtype of the logits, sums included: arithmetic tier "native"."""

RIGHT_IN_WIDE_FORMATS = {
    "careless-exp": Variant(exp=_up(np.exp)),
    "careless-log": Variant(log=_up(np.log)),
}
"""For float32 and float64 logits: as bad as the libraries of some platforms."""

RIGHT_IN_FLOAT32 = {
    "float32-sums": (Variant(sums="float32"), "standard"),
    "float32-inside": (Variant(inner="float32"), "wide"),
    "float32-inside-backward": (Variant(inner="float32", total=backward), "wide"),
    "float32-inside-log1p": (Variant(inner="float32", rows=tail_first), "wide"),
}
"""For 16-bit logits, each with its tier."""


# --------------------------------------------------------------------- target, options, reduction


def coefficients(dtype, classes, target, weight, ignore_index, label_smoothing):
    """(c, w): c (M, C) multiplies -log p, w (M,) is each row's weight in the mean."""
    w = np.ones(classes, dtype) if weight is None else weight.astype(dtype)
    e = np.asarray(label_smoothing).astype(dtype)
    one = dtype.type(1)
    if target.ndim == 2:
        c = target.astype(dtype)
        if label_smoothing:
            c = (one - e) * c + e / dtype.type(classes)
        return c * w, np.ones(len(target), dtype)
    kept = target != ignore_index
    label = np.where(kept, target, 0)
    factor = np.where(kept, w[label], dtype.type(0))
    onehot = np.arange(classes) == label[:, None]
    c = np.where(onehot, (one - e) * factor[:, None], dtype.type(0))
    if label_smoothing:
        c = c + np.where(kept[:, None], (e / dtype.type(classes)) * w, dtype.type(0))
    return c, factor


def loss(v, logits, target, *, weight=None, ignore_index=-100, label_smoothing=0.0,
         reduction="mean"):  # fmt: skip
    """The loss, as `torch.nn.functional.cross_entropy` would return it."""
    neg_log_p, _ = v.parts(logits)
    dtype = neg_log_p.dtype
    c, w = coefficients(dtype, logits.shape[1], target, weight, ignore_index, label_smoothing)
    with np.errstate(all="ignore"):
        if target.ndim == 1 and not label_smoothing:
            label = np.where(target == ignore_index, 0, target)
            rows = np.where(target == ignore_index, 0, neg_log_p[np.arange(len(label)), label])
            rows = rows.astype(dtype)
            rows = rows if weight is None else rows * w
        else:
            rows = v.add(np.where(c == 0, dtype.type(0), c * neg_log_p))
        if reduction == "sum":
            rows = v.add(rows)
        elif reduction == "mean":
            rows = (v.mean or _mean)(v, rows, w)
        return np.asarray(rows).astype(logits.dtype)


def _mean(v, rows, w):
    """The quotient of two sums, both in the accumulation dtype; rounded once."""
    wide = v.sums or rows.dtype
    return (v.total(rows.astype(wide)) / v.total(w.astype(wide))).astype(rows.dtype)


def gradient(v, logits, target, *, cotangent=None, weight=None, ignore_index=-100,
             label_smoothing=0.0, reduction="mean"):  # fmt: skip
    """The gradient of <cotangent, loss> with respect to the logits, (M, C)."""
    _, p = v.parts(logits)
    dtype = p.dtype
    c, w = coefficients(dtype, logits.shape[1], target, weight, ignore_index, label_smoothing)
    g = np.ones((), dtype) if cotangent is None else cotangent.astype(dtype)
    with np.errstate(all="ignore"):
        if reduction == "mean":
            wide = v.sums or dtype
            g = (g.astype(wide) / v.total(w.astype(wide))).astype(dtype)
        if target.ndim == 1 and not label_smoothing:
            onehot = np.arange(logits.shape[1]) == target[:, None]
            slope = (p - onehot.astype(dtype)) * (g * w).reshape(-1, 1)
        else:
            slope = (p * v.add(c)[:, None] - c) * g.reshape(-1, 1)
        if target.ndim == 1:
            slope = np.where((target == ignore_index)[:, None], dtype.type(0), slope)
        return slope.astype(logits.dtype)


# --------------------------------------------------------------------------------------- faults


def _in(dtype, function):
    """A function computed in a narrower dtype."""
    return lambda values: function(values.astype(dtype)).astype(values.dtype)


def _no_shift(v, x):
    e = v.exp(x)
    s = v.add(e)[:, None]
    return v.log(s) - x, e / s


def _log_of_softmax(change):
    def rows(v, x):
        _, _, e, s = _shifted(v, x)
        p = e / s
        return -v.log(change(p)), p

    return rows


def _drop_far_terms(v, x):
    m = x.max(-1, keepdims=True)
    e = np.where(x - m < -10, x.dtype.type(0), v.exp(x - m))
    s = v.add(e)[:, None]
    return v.log(s) - (x - m), e / s


def _table_of_exp(x):
    """exp with a relative error of 1e-4, as of a small table."""
    with np.errstate(all="ignore"):
        return (np.exp(x) * (1 + 1e-4 * np.sin(1e3 * x.astype(np.float64)))).astype(x.dtype)


def _mean_in(dtype):
    def mean(v, rows, w):
        return (sequential(rows.astype(dtype)) / sequential(w.astype(dtype))).astype(rows.dtype)

    return mean


def _running_mean_in(dtype):
    def mean(v, rows, w):
        result = rows.dtype.type(0)
        for i, row in enumerate(rows):
            step = (row - result) / rows.dtype.type(i + 1)
            result = (result + step).astype(dtype).astype(rows.dtype)
        return result

    return mean


def _added(x):
    return lambda p: p + p.dtype.type(x)


def _clipped(p):
    return np.clip(p, p.dtype.type(1e-7), p.dtype.type(1 - 1e-7))


FAULTY = {
    "no shift by the maximum": Variant(rows=_no_shift),
    "float16 accumulation": Variant(sums="float16"),
    "float16 accumulation, pairwise": Variant(sums="float16", total=pairwise),
    "bfloat16 accumulation": Variant(sums="bfloat16"),
    "log(p + 1e-7)": Variant(rows=_log_of_softmax(_added(1e-7))),
    "log(p + 1e-12)": Variant(rows=_log_of_softmax(_added(1e-12))),
    "clip(p, 1e-7, 1 - 1e-7)": Variant(rows=_log_of_softmax(_clipped)),
    "log of the softmax": Variant(rows=_log_of_softmax(lambda p: p)),
    "mean in float16": Variant(mean=_mean_in(np.float16)),
    "running mean in float16": Variant(mean=_running_mean_in(np.float16)),
    "exp in float16": Variant(exp=_in(np.float16, np.exp)),
    "exp in bfloat16": Variant(exp=_in(BFLOAT16, np.exp)),
    "exp from a table": Variant(exp=_table_of_exp),
    "log of the sum in float16": Variant(log=_in(np.float16, np.log)),
    "terms below exp(-10) dropped": Variant(rows=_drop_far_terms),
}
"""Each with everything else in float32 (16-bit logits) or in the dtype of the logits."""


def faulty(name: str, dtype: np.dtype) -> Variant:
    """A faulty variant for logits of a dtype."""
    variant = FAULTY[name]
    return variant if dtype.itemsize > 2 else replace(variant, inner="float32")
