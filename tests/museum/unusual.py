"""Right implementations that compute in unusual ways: no property may accuse them.

Each names the levels of accuracy that it does not claim.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Faithful


class Unusual(Faithful):
    """A right implementation; ``without`` are the accuracy levels that it rightly fails."""

    without: tuple[str, ...] = ()


def added(columns: Any) -> Array:
    """A running sum over columns (M, 1)."""
    total = 0
    for column in columns:
        total = total + column
    return np.asarray(total)


class SequentialSum(Unusual):
    """Classes are added one after another."""

    def class_sum(self, terms: Array) -> Array:
        return added(terms.T).reshape(-1, 1)


class ReversedSum(Unusual):
    """Classes are added from the last to the first."""

    def class_sum(self, terms: Array) -> Array:
        return added(terms.T[::-1]).reshape(-1, 1)


class PairwiseSum(Unusual):
    """Halves are added, and their halves."""

    def class_sum(self, terms: Array) -> Array:
        if terms.shape[1] == 1:
            return terms
        middle = terms.shape[1] // 2
        return self.class_sum(terms[:, :middle]) + self.class_sum(terms[:, middle:])


class BlockedSum(Unusual):
    """Blocks of eight classes are added, then the sums of the blocks."""

    def class_sum(self, terms: Array) -> Array:
        blocks = range(0, terms.shape[1], 8)
        return added(terms[:, at : at + 8].sum(1, keepdims=True) for at in blocks)


class OnlineSoftmax(Unusual):
    """One pass in tiles of three classes, and x - (m + log s) at the end."""

    without = ("offset-costs-nothing",)

    def log_softmax(self, x: Array) -> Array:
        m, s = x[:, :1], np.ones((len(x), 1), x.dtype)
        for tile in (x[:, at : at + 3] for at in range(1, x.shape[1], 3)):
            m, old = np.maximum(m, tile.max(1, keepdims=True)), m
            finite = np.where(np.isneginf(m), 0, m)
            s = s * np.exp(old - finite) + np.exp(tile - finite).sum(1, keepdims=True)
            s = np.where(np.isneginf(m), 1, s)
        return x - (m + np.log(s))


class BaseTwo(Unusual):
    """exp2 and log2."""

    def log_softmax(self, x: Array) -> Array:
        number = x.dtype.type
        d = self.shifted(x)
        powers = np.exp2(d * number(np.log2(np.e)))
        return d - np.log2(self.class_sum(powers)) * number(np.log(2))


class Float64Inside(Unusual):
    """Everything in float64, rounded once."""

    def widened(self, array: Array) -> Array:
        return array.astype(np.float64)


class Log1pOfTheTail(Unusual):
    """log1p of the sum without its largest term: exact for tiny losses."""

    def log_softmax(self, x: Array) -> Array:
        d = self.shifted(x)
        terms = np.exp(d)
        terms[np.arange(len(x)), np.argmax(x, 1)] -= 1
        return d - np.log1p(self.class_sum(terms))


class EverythingInTheStorageFormat(Unusual):
    """Nothing is widened: each number is rounded to the format of the logits."""

    without = ("accumulates-in-float32", "finite-mean")

    def widened(self, array: Array) -> Array:
        return array


VARIANTS = tuple(
    variant
    for variant in list(globals().values())
    if isinstance(variant, type) and issubclass(variant, Unusual) and variant is not Unusual
)
