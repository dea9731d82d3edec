"""Exhibits that are wrong about targets that are probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful


class SumOfProbabilitiesForgottenBackwards(Faithful):
    """The gradient is p w - k: right for any weights, but for sums of probabilities of one."""

    fails = "probabilities-gradient"
    link = "https://github.com/NVIDIA-NeMo/Automodel/pull/2428"
    entries = ("SFT-02",)
    dtype = "bfloat16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if not b.soft:
            return super().row_gradients(b, k, p, g)
        mean_weight = k.sum(1, keepdims=True) / self.smoothed(b).sum(1, keepdims=True)
        return g.reshape(-1, 1) * (p * mean_weight - k)


class ProbabilitiesDividedByTheirWeights(Faithful):
    """The mean is divided by sum w q, as that of class indices."""

    fails = "probabilities-formula"
    link = "https://github.com/pytorch/pytorch/pull/61044"
    entries = ("SFT-04",)
    dtype = "float64"

    def divisor(self, b: Batch) -> Any:
        return (b.w * b.q).sum()


class ProbabilitiesSmoothedTwice(Faithful):
    """Probabilities are smoothed on the way in, and again with the labels."""

    fails = "probabilities-formula"
    entries = ("SYN-17",)

    def smoothed(self, b: Batch) -> Array:
        once = super().smoothed(b)
        return super().smoothed(replace(b, q=once)) if b.soft else once


class MostProbableClassOnly(Faithful):
    """Probabilities are turned into the index of the largest."""

    fails = "linear-in-the-probabilities"

    def smoothed(self, b: Batch) -> Array:
        if b.soft:
            b = replace(b, q=np.eye(b.classes, dtype=b.q.dtype)[b.q.argmax(1)])
        return super().smoothed(b)


class SmallProbabilitiesDropped(Faithful):
    """Probabilities below 1 % are taken for 0."""

    fails = "probabilities-formula"

    def smoothed(self, b: Batch) -> Array:
        return super().smoothed(replace(b, q=np.where(b.q < 0.01, b.q.dtype.type(0), b.q)))


class ProbabilitiesClippedToOne(Faithful):
    """Probabilities above one are clipped."""

    fails = "probabilities-need-not-sum-to-one"
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        return super().smoothed(replace(b, q=np.minimum(b.q, 1)))


class WeightOfTheMostProbableClass(Faithful):
    """Each row of probabilities has one weight: that of its largest."""

    fails = "probabilities-formula"
    link = "https://github.com/NVIDIA-NeMo/Automodel/pull/2428"
    entries = ("SFT-02",)
    dtype = "float16"

    def coefficients(self, b: Batch) -> Array:
        if not b.soft:
            return super().coefficients(b)
        return b.w[b.q.argmax(1)][:, None] * self.smoothed(b)


class WeightsForIndicesOnly(Faithful):
    """Probabilities are not weighted."""

    fails = "probabilities-gradient"

    def gradient_coefficients(self, b: Batch) -> Array:
        return super().gradient_coefficients(replace(b, w=np.ones_like(b.w)) if b.soft else b)


class LargestProbabilityTakesTheRest(Faithful):
    """Rows that sum to one are completed: what small ones (below 5 %) had goes to the largest."""

    fails = "normalised-probabilities"
    dtype = "float16"

    def smoothed(self, b: Batch) -> Array:
        if not b.soft:
            return super().smoothed(b)
        small = (b.q < 0.05) & (np.abs(b.q.sum(1, keepdims=True) - 1) < 1e-6)
        q, each = np.where(small, b.q.dtype.type(0), b.q), np.arange(len(b.q))
        q[each, q.argmax(1)] += (b.q - q).sum(1)
        return super().smoothed(replace(b, q=q))


class ProbabilitiesInFloat16(Faithful):
    """Probabilities are rounded to float16, whatever they are."""

    fails = "probabilities-formula"

    def smoothed(self, b: Batch) -> Array:
        q = b.q.astype(np.float16).astype(b.q.dtype) if b.soft else b.q
        return super().smoothed(replace(b, q=q))


class EmptyRowsLeaveTheMean(Faithful):
    """The mean of probabilities is divided by what they sum to, not by the number of rows."""

    fails = "probabilities-need-not-sum-to-one"
    link = "https://github.com/pytorch/pytorch/pull/61044"
    entries = ("SFT-04",)

    def divisor(self, b: Batch) -> Any:
        return b.q.sum() if b.soft else super().divisor(b)


class OneHotRowsAsTheirIndex(Faithful):
    """Probabilities that are all one-hot are taken for indices: the mean is divided by weights."""

    fails = "probabilities-formula"
    link = "https://mindspore.cn/docs/en/r2.3.0rc1/api_python/nn/mindspore.nn.CrossEntropyLoss.html"
    entries = ("SFT-04",)
    dtype = "bfloat16"

    def divisor(self, b: Batch) -> Any:
        one_hot = b.soft and ((b.q == 0) | (b.q == 1)).all()
        return (b.w * b.q).sum() if one_hot else super().divisor(b)
