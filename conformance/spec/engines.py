"""Two ways to work out the loss and gradient of rows of logits: in float64 and in double-double.

Both subtract the maximum m first and take the logarithm of 1 + tail, the tail being the sum of
exp(x_j - m) without its largest term.  So log sum_j exp(x_j - m) and m - x_y, whose sum is the
loss, are non-negative and each relatively accurate, down to losses near the smallest number.
Logits are finite here: `oracle` deals with infinities and NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

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
    x, label, weight, smoothing = ask.logits, ask.label, ask.weight, ask.smoothing
    classes = x.shape[1]
    rows = np.arange(len(x))
    top = (x if ask.masked is None else np.where(ask.masked, -np.inf, x)).argmax(1)
    m = x[rows, top]
    z = np.subtract(x, m[:, None], out=None if out is None else out.hi)
    coefficients = None
    if label is None:
        assert ask.probabilities is not None
        coefficients = (1 - smoothing) * ask.probabilities
        coefficients += smoothing / classes
        if weight is not None:
            coefficients *= weight
        linear = (coefficients * np.maximum(z, -LARGEST)).sum(1)
        mass = coefficients.sum(1)
    else:
        z_label = z[rows, label]
        if smoothing:
            finite = np.maximum(z, -LARGEST)
            each = smoothing / classes
            linear = (finite if weight is None else finite * weight).sum(1)
            sum_weight = classes if weight is None else float(weight.sum())

    e = np.exp(z, out=z)
    if ask.masked is not None:
        e[ask.masked] = 0.0
    e[rows, top] = 0.0
    tail = e.sum(1)
    log_sum = np.log1p(tail)

    if coefficients is not None:
        loss = mass * log_sum - linear
    else:
        loss = ask.factor * (log_sum - z_label)
        if smoothing:
            mass = (1 - smoothing) * ask.factor + (each * sum_weight) * ask.kept
            loss *= 1 - smoothing
            loss += (each * ask.kept) * (sum_weight * log_sum - linear)

    slope = None
    if gradient:
        e[rows, top] = 1.0
        s = 1 + tail
        scale = ask.scale.hi
        if coefficients is not None:
            e *= (mass * scale / s)[:, None]
            coefficients *= scale[:, None]
            e -= coefficients
        elif smoothing:
            assert label is not None
            e *= (mass * scale / s)[:, None]
            share = (each * scale)[:, None]
            e -= share if weight is None else share * weight
            e[rows, label] -= (1 - smoothing) * ask.factor * scale
        else:
            assert label is not None
            k = ask.factor * scale
            # 1 - p_y without cancellation where y is the maximum.
            others = np.where(label == top, tail, s - e[rows, label])
            k /= s
            e *= k[:, None]
            e[rows, label] = -k * others
        slope = out or Pair(e, np.zeros(e.shape))
    zero = np.zeros(len(x))
    return Answer(m, Pair(tail, zero), Pair(log_sum, zero), Pair(loss, zero), slope)


_COLUMNS = 1 << 13
"""Numbers worked on at a time in double-double, to keep a dozen temporaries in the cache."""


def in_double_double(ask: Question, gradient: bool, out: Pair | None = None) -> Answer:
    """Relative error below 2^-70 (and 2^-1072 absolute) for logits below 2^900."""
    x, label, weight = ask.logits, ask.label, ask.weight
    classes = x.shape[1]
    rows = np.arange(len(x))
    top = (x if ask.masked is None else np.where(ask.masked, -np.inf, x)).argmax(1)
    m = x[rows, top]
    down = -m[:, None]
    smoothing = np.float64(ask.smoothing)
    if label is None or smoothing:
        rest = dd.two_sum(np.float64(1), -smoothing)  # 1 - e
        each = dd.divide(_pair(smoothing), _pair(np.float64(classes)))  # e / C
        each_weight = each if weight is None else dd.scale(each, weight)
        z = dd.two_sum(x, down)
    coefficients = None
    if label is None:
        assert ask.probabilities is not None
        if weight is None:
            coefficients = Pair(ask.probabilities, np.zeros(x.shape))
        else:
            coefficients = dd.two_product(ask.probabilities, weight)
        if smoothing:
            coefficients = dd.add(dd.multiply(coefficients, rest), each_weight)
        linear = dd.total(dd.multiply(coefficients, z))
        mass = dd.total(coefficients)
    else:
        z_label = dd.two_sum(x[rows, label], -m)
        if smoothing:
            if weight is None:
                linear = dd.total(z)
                sum_weight = _pair(np.float64(classes))
            else:
                linear = dd.total(dd.scale(z, weight))
                sum_weight = dd.total(_pair(weight))

    # The tail is summed at the scale of its largest term, 2^-lift.
    others = x.copy()
    others[rows, top] = -np.inf
    if ask.masked is not None:
        others[ask.masked] = -np.inf
    lift = np.rint(np.minimum((m - others.max(1)) * (1 / np.log(2)), 2000.0)).astype(np.int64)
    e = out or Pair(others, np.empty(x.shape))
    for part in _columns(x):
        e.hi[part], e.lo[part] = dd.exp(dd.two_sum(x[part], down), lift[:, None])
    nothing = Pair(np.float64(0), np.float64(0))
    _put(e, (rows, top), nothing)
    if ask.masked is not None:
        _put(e, ask.masked, nothing)
    s = dd.total_below(2.0, e)
    tail = Pair(np.ldexp(s.hi, -lift), np.ldexp(s.lo, -lift))
    log_sum = dd.log1p(tail)

    if coefficients is not None:
        loss = dd.subtract(dd.multiply(mass, log_sum), linear)
    else:
        loss = dd.scale(dd.subtract(log_sum, z_label), ask.factor)
        if smoothing:
            each_kept = dd.scale(each, ask.kept)
            flat = dd.subtract(dd.multiply(sum_weight, log_sum), linear)
            loss = dd.add(dd.multiply(loss, rest), dd.multiply(each_kept, flat))

    slope = None
    if gradient:
        s = dd.add(_pair(np.float64(1)), tail)
        if coefficients is None:
            mass = _pair(ask.factor)
            if smoothing:
                own = dd.scale(rest, ask.factor)
                mass = dd.add(own, dd.multiply(each_kept, sum_weight))
        k = dd.multiply(mass, ask.scale)
        unit = dd.divide(k, s)  # that of the maximum: p_top sum_c c_c, scaled
        lower = Pair(np.ldexp(unit.hi, -lift), np.ldexp(unit.lo, -lift))
        lower = lower.at(_COLUMN)
        slope = e
        for part in _columns(x):
            slope.hi[part], slope.lo[part] = dd.multiply(e.at(part), lower)
        _put(slope, (rows, top), unit)
        if coefficients is not None:
            shares = dd.multiply(coefficients, ask.scale.at(_COLUMN))
            _put(slope, ..., dd.subtract(slope, shares))
        elif smoothing:
            shares = dd.multiply(each_weight, ask.scale.at(_COLUMN))
            _put(slope, ..., dd.subtract(slope, shares))
            at_label = slope.at((rows, label))
            _put(slope, (rows, label), dd.subtract(at_label, dd.multiply(own, ask.scale)))
        else:
            # 1 - p_y without cancellation where y is the maximum.
            p_label = slope.at((rows, label))
            others = dd.subtract(p_label, k)
            right = dd.multiply(unit, tail)
            is_top = label == top
            _put(
                slope,
                (rows, label),
                Pair(
                    np.where(is_top, -right.hi, others.hi),
                    np.where(is_top, -right.lo, others.lo),
                ),
            )
    return Answer(m, tail, log_sum, loss, slope)


_COLUMN = (slice(None), None)


def _pair(value: Float64) -> Pair:
    return Pair(value, value * 0.0)


def _columns(x: Float64) -> Iterator[tuple[slice, slice]]:
    """All rows of a part of the columns at a time."""
    step = max(1, _COLUMNS // max(1, len(x)))
    for start in range(0, x.shape[1], step):
        yield slice(None), slice(start, start + step)


def _put(pair: Pair, index: Any, value: Pair) -> None:
    pair.hi[index] = value.hi
    pair.lo[index] = value.lo
