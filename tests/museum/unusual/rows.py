"""Unusual ways from a softmax to losses, means and gradients, and to give them back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch

from unusual.right import Unusual

# -- rows and reductions -------------------------------------------------------------------------


class ByMatrixProduct(Unusual):
    """Each row's loss is a product of its target with its log-probabilities."""

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        products = k[:, None, :] @ np.where(k == 0, 0, log_p)[:, :, None]
        return -products[:, 0, 0]


class FusedMultiplyAdd(Unusual):
    """Products of target and log-probability are not rounded before they are added."""

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        wide = super().row_losses(b, k.astype(np.float64), log_p.astype(np.float64))
        return wide.astype(log_p.dtype)


class WeightOnTheLogProbabilities(Unusual):
    """The weight is applied to all classes, before the target picks from them."""

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        terms = -self.smoothed(b) * (b.w * log_p)
        return np.where(k == 0, 0, terms).sum(1)


class SmoothingByTheMean(Unusual):
    """(1 - e) times the plain loss, and e times the mean over the classes."""

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        if not b.e:
            return super().row_losses(b, k, log_p)
        number = b.x.dtype.type
        plain = np.where(b.w * b.q == 0, 0, -b.w * b.q * log_p).sum(1)
        uniform = np.where(b.w == 0, 0, -b.w * log_p).mean(1)
        return np.where(b.kept, number(1 - b.e) * plain + number(b.e) * uniform, 0)


class IgnoredRowsMadeSafe(Unusual):
    """Logits of ignored rows are replaced by zeros before anything is computed."""

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, x=np.where(b.kept[:, None], b.x, 0))


class IgnoredRowsLeftOut(Unusual):
    """Only the rows that are kept are computed; the others are filled with zeros."""

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = np.zeros(len(k), k.dtype)
        losses[b.kept] = super().row_losses(b, k[b.kept], log_p[b.kept])
        return losses


class MeanOfShares(Unusual):
    """Each loss is divided by the mean's divisor before they are added."""

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction != "mean":
            return super().reduced(b, losses)
        return np.asarray((losses / self.divisor(b)).sum())


class RunningMean(Unusual):
    """The mean of the rows so far, brought up to date with each row."""

    def reduced(self, b: Batch, losses: Array) -> Array:
        plain = b.reduction == "mean" and not b.weighted and b.kept.any()
        if not plain or np.isinf(losses).any():  # inf - inf
            return super().reduced(b, losses)
        mean = losses.dtype.type(0)
        for n, loss in enumerate(losses[b.kept], 1):
            mean = mean + (loss - mean) / losses.dtype.type(n)
        return np.asarray(mean)


class LargestLossFirst(Unusual):
    """The losses of a batch are added in descending order, one after another."""

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction == "none":
            return super().reduced(b, losses)
        total = sum(-np.sort(-losses), losses.dtype.type(0))
        return np.asarray(total / self.divisor(b) if b.reduction == "mean" else total)


# -- the gradient --------------------------------------------------------------------------------


class ExpOfLogSoftmax(Unusual):
    """Probabilities are the exponentials of the log-probabilities."""

    def softmax(self, x: Array) -> Array:
        return np.exp(self.log_softmax(x))


class TimesTheReciprocal(Unusual):
    """Probabilities are multiplied by 1 / s."""

    def softmax(self, x: Array) -> Array:
        terms = np.exp(self.shifted(x))
        return terms * (1 / self.class_sum(terms))


class ScaledFirst(Unusual):
    """The coefficients are scaled by cotangent and divisor before they meet the softmax."""

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        k = k * g.reshape(-1, 1)
        return np.where(b.kept[:, None], -k + k.sum(1, keepdims=True) * p, 0)


class ScatteredTarget(Unusual):
    """p everywhere, and 1 subtracted at the target in place."""

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if b.labels is None or b.e:
            return super().row_gradients(b, k, p, g)
        rows = p.copy()
        each = np.flatnonzero(b.kept)
        np.subtract.at(rows, (each, b.labels[each]), 1)
        return np.where(b.kept[:, None], rows * k.sum(1, keepdims=True) * g.reshape(-1, 1), 0)


class Expm1AtTheTarget(Unusual):
    """p - 1 is expm1(log p): exact where p is nearly 1."""

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if b.labels is None or b.e:
            return super().row_gradients(b, k, p, g)
        less = np.where(b.q != 0, np.expm1(self.log_softmax(b.x)), p)
        return np.where(b.kept[:, None], g.reshape(-1, 1) * k.sum(1, keepdims=True) * less, 0)


# -- memory --------------------------------------------------------------------------------------


class ResultsAreScalars(Unusual):
    """A result of shape () is a NumPy scalar."""

    def finished(self, b: Batch, result: Array) -> Array:
        return super().finished(b, result)[()]


class ResultsAreStrided(Unusual):
    """Results are every second element of a buffer, from its end."""

    def finished(self, b: Batch, result: Array) -> Array:
        return strided(super().finished(b, result))

    def placed(self, rows: Array, like: Array) -> Array:
        return strided(super().placed(rows, like))


def strided(array: Array) -> Array:
    buffer = np.zeros((*array.shape, 2), array.dtype)
    view = buffer[..., ::-2]
    view[..., 0] = array
    return view[..., 0]


class ResultsAreReadOnly(Unusual):
    """Results are in column-major order, and may not be written to."""

    def finished(self, b: Batch, result: Array) -> Array:
        return fixed(super().finished(b, result))

    def placed(self, rows: Array, like: Array) -> Array:
        return fixed(super().placed(rows, like))


def fixed(array: Array) -> Array:
    array = np.array(array, order="F")
    array.flags.writeable = False
    return array


class RemembersItsAnswers(Unusual):
    """Answers are kept by the content of the question."""

    def __init__(self) -> None:
        self.known: dict[bytes, Array] = {}

    def log_softmax(self, x: Array) -> Array:
        key = repr((x.shape, x.dtype)).encode() + x.tobytes()
        if key not in self.known:
            self.known = {key: super().log_softmax(x)}
        return self.known[key].copy()
