"""The softmax of each row of a problem, as far as rounding-error analysis asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

_BLOCK = 1 << 15
"""Logits worked on at a time, to stay in the cache."""
_LARGEST = float(np.finfo(np.float64).max)


def row_blocks(count: int, classes: int, size: int) -> Iterator[slice]:
    """Slices of rows of about ``size`` numbers each."""
    step = max(1, size // classes)
    for start in range(0, count, step):
        yield slice(start, min(count, start + step))


@dataclass(frozen=True, eq=False)
class SoftmaxRows:
    """Row statistics; sums over classes are worked out when they are first asked for."""

    logits: Float64
    """(M, C), finite: -inf stands at the row's maximum, hopeless rows are flat."""
    masked: NDArray[np.bool_] | None
    """(M, C): the logits that are -inf, if any logit is not finite."""
    hopeless: NDArray[np.bool_] | None
    """(M,): kept rows with NaN, +inf, or nothing but -inf, if any logit is not finite."""
    maximum: Float64
    """(M,): m."""
    tail: Float64
    """(M,): the sum of exp(x_j - m) but for one j with x_j = m."""
    log_sum: Float64
    """(M,): log(1 + tail)."""

    def blocks(self) -> Iterator[slice]:
        """Blocks of rows that fit the cache."""
        count, classes = self.logits.shape
        return row_blocks(count, classes, _BLOCK)

    def distances(self, rows: slice) -> Float64:
        """d_j = m - x_j of some rows; 0 where masked, at most the largest number."""
        return np.minimum(self.maximum[rows, None] - self.logits[rows], _LARGEST)

    def exponentials(self, distances: Float64, rows: slice) -> Float64:
        """exp(-d_j) of some rows; 0 where masked."""
        e = np.negative(distances)
        np.exp(e, out=e)
        if self.masked is not None:
            e[self.masked[rows]] = 0.0
        return e

    def total(self, term: Callable[[Float64, Float64], Float64]) -> Float64:
        """(M,): the sum over the classes of term(d, exp(-d))."""
        parts = []
        for rows in self.blocks():
            d = self.distances(rows)
            parts.append(term(d, self.exponentials(d, rows)).sum(1))
        return _joined(parts)

    @cached_property
    def spread(self) -> Float64:
        """(M,): sum_j p_j d_j, which is the entropy of p less log s, in nats."""
        return self.total(np.multiply) / (1 + self.tail)

    @cached_property
    def below_top(self) -> Float64:
        """(M,): the sum of p_j over the classes with d_j > 0."""
        return self.total(lambda d, e: e * (d > 0)) / (1 + self.tail)

    def mean(self, function: Callable[[Float64], Float64]) -> Float64:
        """(M,): sum_j p_j function(d_j)."""
        return self.total(lambda d, e: function(d) * e) / (1 + self.tail)

    def weighted_distances(self, weight: Float64 | None) -> tuple[Float64, Float64]:
        """(M,) each: sum_j w_j d_j and max_j d_j, for weights (C,), (M, C), or None for ones."""
        parts, largest = [], []
        for rows in self.blocks():
            d = self.distances(rows)
            largest.append(d.max(1))
            if weight is not None:
                d *= weight if weight.ndim == 1 else weight[rows]
            parts.append(d.sum(1))
        return _joined(parts), _joined(largest)


def _joined(parts: list[Float64]) -> Float64:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0)
