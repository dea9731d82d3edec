"""Two ways to work out the loss and gradient of rows of logits: in float64 and in double-double.

Both subtract the maximum m first and take the logarithm of 1 + tail, the tail being the sum of
exp(x_j - m) without its largest term.  So log sum_j exp(x_j - m) and m - x_y, whose sum is the
loss, are non-negative and each relatively accurate, down to losses near the smallest number.
Logits are finite here: `oracle` deals with infinities and NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from conformance.spec import double_double as dd
from conformance.spec.double_double import Pair

Float64 = NDArray[np.float64]
LARGEST = float(np.finfo(np.float64).max)


class Question(NamedTuple):
    """Rows of a problem, as the engines want them.  Coefficients are zero in ignored rows."""

    logits: Float64  # (M, C)
    masked: NDArray[np.bool_] | None  # (M, C): logits that are -inf; they stand at their maximum
    label: NDArray[np.int64] | None  # (M,), 0 where ignored
    probabilities: Float64 | None  # (M, C)
    factor: Float64  # (M,): w_y
    kept: Float64  # (M,): 1 or 0
    weight: Float64 | None  # (C,)
    smoothing: float
    scale: Pair  # (M,): cotangent, over the denominator of the mean

    def block(self, rows: slice) -> Question:
        """Some of the rows."""
        return self._replace(
            logits=self.logits[rows],
            masked=None if self.masked is None else self.masked[rows],
            label=None if self.label is None else self.label[rows],
            probabilities=None if self.probabilities is None else self.probabilities[rows],
            factor=self.factor[rows],
            kept=self.kept[rows],
            scale=self.scale.at(rows),
        )


class Answer(NamedTuple):
    """What an engine works out for each row."""

    maximum: Float64  # (M,)
    tail: Pair  # (M,): sum of exp(x_j - m) but for the maximum
    log_sum: Pair  # (M,): log(1 + tail)
    loss: Pair  # (M,)
    gradient: Pair | None  # (M, C)


def in_float64(ask: Question, gradient: bool, out: Pair | None = None) -> Answer:
    """Relative error below 2^-43; the gradient is put into ``out``, if given."""
    x, label = ask.logits, ask.label
    rows = np.arange(len(x))
    top = _top(ask)
    m = x[rows, top]
    z = np.subtract(x, m[:, None], out=None if out is None else out.hi)
    one_class = label is not None and not ask.smoothing
    if one_class:
        mass, linear = ask.factor, ask.factor * z[rows, label]
    else:
        c = _coefficients(ask)
        mass, linear = c.sum(1), (c * np.maximum(z, -LARGEST)).sum(1)

    e = np.exp(z, out=z)
    if ask.masked is not None:
        e[ask.masked] = 0.0
    e[rows, top] = 0.0
    tail = e.sum(1)
    log_sum = np.log1p(tail)
    loss = mass * log_sum - linear

    slope = None
    if gradient:
        e[rows, top] = 1.0
        s = 1 + tail
        k = mass * ask.scale.hi / s
        if one_class:  # 1 - p_y without cancellation where y is the maximum
            others = np.where(label == top, tail, s - e[rows, label])
            e *= k[:, None]
            e[rows, label] = -k * others
        else:
            e *= k[:, None]
            c *= ask.scale.hi[:, None]
            e -= c
        slope = out or dd.exactly(e)
    return Answer(m, dd.exactly(tail), dd.exactly(log_sum), dd.exactly(loss), slope)


def _top(ask: Question) -> NDArray[np.int64]:
    """(M,): the position of the largest logit."""
    x = ask.logits if ask.masked is None else np.where(ask.masked, -np.inf, ask.logits)
    return cast(NDArray[np.int64], x.argmax(1))


def _coefficients(ask: Question) -> Float64:
    """(M, C): c in l = sum_c c_c (-log p_c)."""
    classes = ask.logits.shape[1]
    each = ask.smoothing / classes
    if ask.probabilities is not None:
        c: Float64 = (1 - ask.smoothing) * ask.probabilities
        c += each
        if ask.weight is not None:
            c *= ask.weight
        return c
    weight = np.ones(classes) if ask.weight is None else ask.weight
    c = (each * ask.kept)[:, None] * weight
    c[np.arange(len(c)), ask.label] += (1 - ask.smoothing) * ask.factor
    return c


# ------------------------------------------------------------------------------- double-double

_COLUMNS = 1 << 15
"""Numbers worked on at a time: a dozen temporaries stay in the cache."""


def in_double_double(ask: Question, gradient: bool, out: Pair | None = None) -> Answer:
    """Relative error below 2^-70, and 2^-1070 absolute, for logits below 2^900."""
    x, label = ask.logits, ask.label
    rows = np.arange(len(x))
    top = _top(ask)
    m = x[rows, top]
    one_class = label is not None and not ask.smoothing
    if one_class:
        mass = dd.exactly(ask.factor)
        linear = dd.scale(dd.two_sum(x[rows, label], -m), ask.factor)
    else:
        c = coefficient_pairs(ask)
        mass, linear = dd.total(c), dd.total(dd.multiply(c, dd.two_sum(x, -m[:, None])))

    e, lift = _lifted_exponentials(ask, m, top, out)
    s = dd.total_below(2.0, e)
    tail = Pair(np.ldexp(s.hi, -lift), np.ldexp(s.lo, -lift))
    log_sum = dd.log1p(tail)
    loss = dd.subtract(dd.multiply(mass, log_sum), linear)

    slope = None
    if gradient:
        k = dd.multiply(mass, ask.scale)
        of_top = dd.divide(k, dd.add(dd.constant(1.0), tail))
        lower = Pair(np.ldexp(of_top.hi, -lift), np.ldexp(of_top.lo, -lift)).at(_COLUMN)
        slope = e
        for part in _columns(x):
            _put(slope, part, dd.multiply(e.at(part), lower))
        _put(slope, (rows, top), of_top)
        if one_class:  # 1 - p_y without cancellation where y is the maximum
            assert label is not None
            _put(slope, (rows, label), dd.subtract(slope.at((rows, label)), k))
            right = label == top
            of_label = dd.multiply(of_top, tail).at(right)
            _put(slope, (rows[right], label[right]), Pair(-of_label.hi, -of_label.lo))
        else:
            shares = dd.multiply(c, ask.scale.at(_COLUMN))
            _put(slope, ..., dd.subtract(slope, shares))
    return Answer(m, tail, log_sum, loss, slope)


def coefficient_pairs(ask: Question) -> Pair:
    """(M, C): the same in double-double."""
    smoothing = dd.constant(ask.smoothing)
    own = dd.subtract(dd.constant(1.0), smoothing)  # 1 - e
    each = dd.divide(smoothing, dd.constant(ask.logits.shape[1]))  # e / C
    if ask.weight is not None:
        each = dd.scale(each, ask.weight)
    if ask.probabilities is not None:
        if ask.weight is None:
            c = dd.exactly(ask.probabilities)
        else:
            c = dd.two_product(ask.probabilities, ask.weight)
        return dd.add(dd.multiply(c, own), each) if ask.smoothing else c
    kept = np.repeat(ask.kept[:, None], ask.logits.shape[1], 1)
    c = Pair(each.hi * kept, each.lo * kept)
    at_label = (np.arange(len(kept)), ask.label)
    _put(c, at_label, dd.add(c.at(at_label), dd.scale(own, ask.factor)))
    return c


def _lifted_exponentials(
    ask: Question, m: Float64, top: NDArray[np.int64], out: Pair | None
) -> tuple[Pair, NDArray[np.int64]]:
    """exp(x_j - m) 2^lift, (M, C), but 0 at the top, and lift, (M,).

    The largest of them is about 1: the tail keeps its accuracy however small it is.
    """
    x = ask.logits
    others = x.copy()
    others[np.arange(len(x)), top] = -np.inf
    if ask.masked is not None:
        others[ask.masked] = -np.inf
    lift = np.rint(np.minimum((m - others.max(1)) * (1 / np.log(2)), 2000.0)).astype(np.int64)
    e = out or Pair(others, np.empty(x.shape))
    for part in _columns(x):
        _put(e, part, dd.exp(dd.two_sum(x[part], -m[:, None]), lift[:, None]))
    _put(e, (np.arange(len(x)), top), dd.constant(0.0))
    if ask.masked is not None:
        _put(e, ask.masked, dd.constant(0.0))
    return e, lift


_COLUMN = (slice(None), None)


def _columns(x: Float64) -> Iterator[tuple[slice, slice]]:
    """All rows of a part of the columns at a time."""
    step = max(1, _COLUMNS // max(1, len(x)))
    for start in range(0, x.shape[1], step):
        yield slice(None), slice(start, start + step)


def _put(pair: Pair, index: Any, value: Pair) -> None:
    pair.hi[index] = value.hi
    pair.lo[index] = value.lo
