"""Unusual ways to a softmax and its logarithm: sums, merges, bases, formats."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch

from unusual.right import Unusual


def added(columns: Any) -> Array:
    """A running sum over columns (M, 1)."""
    total = 0
    for column in columns:
        total = total + column
    return np.asarray(total)


# -- sums over the classes -----------------------------------------------------------------------


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


class EightRunningSums(Unusual):
    """Eight sums of every eighth class, as vector units keep them."""

    def class_sum(self, terms: Array) -> Array:
        lanes = [terms[:, lane::8] for lane in range(min(8, terms.shape[1]))]
        return added(added(lane.T) for lane in lanes).reshape(-1, 1)


class AscendingSum(Unusual):
    """Classes are sorted and added, the smallest first."""

    def class_sum(self, terms: Array) -> Array:
        return added(np.sort(terms, axis=1).T).reshape(-1, 1)


class CompensatedSum(Unusual):
    """What each addition loses is kept for the next one (Kahan)."""

    def class_sum(self, terms: Array) -> Array:
        total, lost = np.zeros_like(terms[:, 0]), np.zeros_like(terms[:, 0])
        for term in terms.T:
            term = term - lost
            total, before = total + term, total
            lost = (total - before) - term
        return total[:, None]


class ExactSum(Unusual):
    """The sum over the classes is exact, and rounded once."""

    def class_sum(self, terms: Array) -> Array:
        sums = [math.fsum(row) for row in terms.astype(np.float64)]
        return np.array(sums, terms.dtype).reshape(-1, 1)


# -- log-softmax ---------------------------------------------------------------------------------


def merged(m: Array, s: Array, other_m: Array, other_s: Array) -> tuple[Array, Array]:
    """Two maxima and sums of exponentials, as those of all their classes together."""
    top = np.maximum(m, other_m)
    finite = np.where(np.isneginf(top), 0, top)
    return top, s * np.exp(m - finite) + other_s * np.exp(other_m - finite)


class OnlineSoftmax(Unusual):
    """One pass in tiles of three classes, and x - (m + log s) at the end."""

    without = ("offset-costs-nothing",)

    def log_softmax(self, x: Array) -> Array:
        m, s = x[:, :1], np.ones((len(x), 1), x.dtype)
        for tile in (x[:, at : at + 3] for at in range(1, x.shape[1], 3)):
            top = tile.max(1, keepdims=True)
            finite = np.where(np.isneginf(top), 0, top)
            m, s = merged(m, s, top, np.exp(tile - finite).sum(1, keepdims=True))
        return x - (m + np.log(s))


class RescaledForEachClass(Unusual):
    """One pass, class by class, and (x - m) - log s at the end."""

    def log_softmax(self, x: Array) -> Array:
        one = np.ones((len(x), 1), x.dtype)
        m, s = x[:, :1], one
        for column in x.T[1:]:
            m, s = merged(m, s, column[:, None], one)
        return x - m - np.log(s)


class TreeOfShards(Unusual):
    """Each half of the classes has its maximum and its sum, and so has each half of a half."""

    def log_softmax(self, x: Array) -> Array:
        m, s = self.shard(x)
        return x - m - np.log(s)

    def shard(self, x: Array) -> tuple[Array, Array]:
        if x.shape[1] == 1:
            return x, np.ones_like(x)
        middle = x.shape[1] // 2
        return merged(*self.shard(x[:, :middle]), *self.shard(x[:, middle:]))


class ChainOfLogAddExp(Unusual):
    """log(exp a + exp b), class after class."""

    without = ("offset-costs-nothing",)

    def log_softmax(self, x: Array) -> Array:
        return x - np.logaddexp.reduce(x, axis=1, keepdims=True)


class LogSumExpMinusLogit(Unusual):
    """The mass of the target times LSE, less the target's share of the logits."""

    without = ("offset-costs-nothing",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        m = b.x.max(1, keepdims=True)
        lse = (m + np.log(self.class_sum(np.exp(b.x - m))))[:, 0]
        rows = k.sum(1) * lse - np.where(k == 0, 0, k * b.x).sum(1)
        return np.where((k == 0).all(1), 0, rows)


class ShiftedByTheTarget(Unusual):
    """log of the sum of exp(x_c - x_y), where that cannot overflow."""

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        right = super().row_losses(b, k, log_p)
        if b.labels is None or b.e:
            return right
        label = np.where(b.kept, b.labels, 0)[:, None]
        d = b.x - np.take_along_axis(b.x, label, 1)
        safe = (d.max(1) < 60) & (k != 0).any(1)
        with np.errstate(over="ignore"):
            losses = k.sum(1) * np.log(self.class_sum(np.exp(d)))[:, 0]
        return np.where(safe, losses, right)


class BaseTwo(Unusual):
    """exp2 and log2."""

    def log_softmax(self, x: Array) -> Array:
        number = x.dtype.type
        d = self.shifted(x)
        powers = np.exp2(d * number(np.log2(np.e)))
        return d - np.log2(self.class_sum(powers)) * number(np.log(2))


class Log1pOfTheTail(Unusual):
    """log1p of the sum without its largest term: exact for tiny losses."""

    def log_softmax(self, x: Array) -> Array:
        d = self.shifted(x)
        terms = np.exp(d)
        terms[np.arange(len(x)), np.argmax(x, 1)] -= 1
        return d - np.log1p(self.class_sum(terms))


class MaximumInFloat64(Unusual):
    """The maximum is looked for in float64, over the classes in reverse."""

    def shifted(self, x: Array) -> Array:
        return x - x[:, ::-1].astype(np.float64).max(1, keepdims=True).astype(x.dtype)


class RowByRow(Unusual):
    """A loop over the rows."""

    def log_softmax(self, x: Array) -> Array:
        rows = [super(RowByRow, self).log_softmax(row[None]) for row in x]
        return np.concatenate(rows) if rows else x

    def softmax(self, x: Array) -> Array:
        rows = [super(RowByRow, self).softmax(row[None]) for row in x]
        return np.concatenate(rows) if rows else x


class ChunksOfRows(Unusual):
    """Three rows at a time."""

    def log_softmax(self, x: Array) -> Array:
        result = np.empty_like(x)
        for at in range(0, len(x), 3):
            result[at : at + 3] = super().log_softmax(x[at : at + 3])
        return result


class ClassesFirst(Unusual):
    """Rows are columns: every reduction runs over the first axis."""

    def log_softmax(self, x: Array) -> Array:
        x = np.ascontiguousarray(x.T)
        d = x - x.max(0)
        return (d - np.log(np.exp(d).sum(0))).T


# -- formats -------------------------------------------------------------------------------------


class Float64Inside(Unusual):
    """Everything in float64, rounded once."""

    def widened(self, array: Array) -> Array:
        return array.astype(np.float64)


class LongDoubleInside(Unusual):
    """Everything in the longest format of the machine, rounded to float64 and then once more."""

    def widened(self, array: Array) -> Array:
        return array.astype(np.float64).astype(np.longdouble)

    def finished(self, b: Batch, result: Array) -> Array:
        return super().finished(b, result.astype(np.float64))

    def placed(self, rows: Array, like: Array) -> Array:
        return super().placed(rows.astype(np.float64), like)


class EverythingInTheStorageFormat(Unusual):
    """Nothing is widened: each number is rounded to the format of the logits."""

    without = (
        "accumulates-in-float32",
        "finite-mean",
        "finite-weighted-mean",
        "finite-class-sums",
    )

    def widened(self, array: Array) -> Array:
        return array


class SumsInFloat32(Unusual):
    """Numbers are kept in the format of the logits, sums in float32."""

    without = ("finite-class-sums",)

    def widened(self, array: Array) -> Array:
        return array

    def class_sum(self, terms: Array) -> Array:
        return super().class_sum(super().widened(terms)).astype(terms.dtype)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        terms = np.where(k == 0, 0, -k * log_p)
        return super().class_sum(super().widened(terms))[:, 0].astype(log_p.dtype)

    def divisor(self, b: Batch) -> Any:
        wide = super().widened
        return super().divisor(replace(b, x=wide(b.x), w=wide(b.w), q=wide(b.q)))

    def reduced(self, b: Batch, losses: Array) -> Array:
        return super().reduced(b, super().widened(losses))


class StoredLogProbabilities(Unusual):
    """Log-probabilities are rounded to the format of the logits, and p is their exponential."""

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        return self.nll_stage(self.log_softmax_stage(logits), target, **options)

    def vjp(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        d = self.nll_stage_vjp(cotangent, self.log_softmax_stage(logits), target, **options)
        return self.log_softmax_stage_vjp(d, logits)

    def log_softmax_stage_vjp(self, cotangent: Array, logits: Array) -> Array:
        g = self.widened(self.rows(cotangent))
        p = np.exp(self.widened(self.rows(self.log_softmax_stage(logits))))
        rows = g - p * g.sum(1, keepdims=True)
        return self.placed(np.where(g.any(1, keepdims=True), rows, 0), logits)
