"""Exhibits that apply class weights in the wrong place, or to the wrong rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful


class WeightOnTheLogits(Faithful):
    """The logits are scaled by the weights, not the losses."""

    fails = "weight-formula"
    link = "https://github.com/PaddlePaddle/Paddle/pull/24352"
    entries = ("WGT-03",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, x=b.x * b.w, w=np.ones_like(b.w))


class WeightOnTheProbabilities(Faithful):
    """The probabilities are scaled by the weights: log w is added to the loss."""

    fails = "weight-formula"
    link = "https://github.com/PaddlePaddle/Paddle/pull/24352"
    entries = ("WGT-03",)
    dtype = "float16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        unweighted = self.coefficients(replace(b, w=np.ones_like(b.w)))
        return super().row_losses(b, unweighted, log_p + np.log(np.abs(b.w)))


class UniformPartUnweighted(Faithful):
    """The uniform part of label smoothing has no weights."""

    fails = "smoothing-formula"
    link = "https://github.com/pytorch/pytorch/issues/104776"
    entries = ("WGT-05",)

    def coefficients(self, b: Batch) -> Array:
        uniform = b.e / b.classes * (1 - b.w) * b.kept[:, None]
        return (super().coefficients(b) + uniform).astype(b.x.dtype)


class WeightsInFloat16(Faithful):
    """Weights are rounded to float16."""

    fails = "weight-formula"
    entries = ("SYN-07",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, w=b.w.astype(np.float16).astype(b.w.dtype))


class WeightedTwice(Faithful):
    """The weight is applied to the rows' losses and again before they are reduced."""

    fails = "linear-in-the-weights"
    dtype = "bfloat16"

    def coefficients(self, b: Batch) -> Array:
        return super().coefficients(replace(b, w=b.w * b.w))


class WeightsWithoutTheirSign(Faithful):
    """|w| for w, as in the samples that were to test it."""

    fails = "weight-formula"
    link = "https://github.com/pytorch/pytorch/pull/64275"
    entries = ("WGT-02",)
    dtype = "bfloat16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, w=np.abs(b.w))


class NegativeWeightsLeaveTheDivisor(Faithful):
    """The mean is divided by the sum of the positive weights."""

    fails = "reductions-agree"
    link = "https://github.com/pytorch/pytorch/pull/31491"
    entries = ("WGT-01",)
    dtype = "float64"

    def divisor(self, b: Batch) -> Any:
        return super().divisor(replace(b, w=np.maximum(b.w, 0)))


class ZeroWeightStillCounts(Faithful):
    """Rows of weight 0 count as one row each in the divisor of the mean."""

    fails = "mean-ignores-the-scale-of-weights"
    link = "https://github.com/torch/nn/issues/775"
    entries = ("WGT-07",)

    def divisor(self, b: Batch) -> Any:
        return super().divisor(replace(b, w=np.where(b.w == 0, b.w.dtype.type(1), b.w)))


class WeightOfTheRow(Faithful):
    """The weight is gathered by the number of the row, not by its class."""

    fails = "class-permutation"

    def coefficients(self, b: Batch) -> Array:
        weights = np.resize(b.w, len(b.x))[:, None]
        return np.where(b.kept[:, None], weights * self.smoothed(b), b.x.dtype.type(0))


class WeightOfThePrediction(Faithful):
    """The weight of a row is that of its most probable class."""

    fails = "weight-formula"

    def coefficients(self, b: Batch) -> Array:
        unweighted = super().coefficients(replace(b, w=np.ones_like(b.w)))
        return b.w[b.x.argmax(1)][:, None] * unweighted


class WeightedMeanIsTheSum(Faithful):
    """Where weights are given, the mean is not divided at all."""

    fails = "unit-weights-change-nothing"
    dtype = "float64"

    def divisor(self, b: Batch) -> Any:
        return b.x.dtype.type(1) if b.weighted else super().divisor(b)


class WeightsForgottenBackwards(Faithful):
    """The gradient of each row has no weight; the divisor of the mean has them."""

    fails = "gradient-formula"

    def gradient_coefficients(self, b: Batch) -> Array:
        return super().gradient_coefficients(replace(b, w=np.ones_like(b.w)))


class WeightOfTheFirstClassAlwaysOne(Faithful):
    """Class 0 is taken for the background: its weight is 1."""

    fails = "class-permutation"
    dtype = "float16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, w=np.where(np.arange(b.classes) == 0, b.w.dtype.type(1), b.w))


class WeightIgnoredForTheSum(Faithful):
    """reduction="sum" adds the losses without their weights."""

    fails = "reductions-agree"
    dtype = "bfloat16"

    def coefficients(self, b: Batch) -> Array:
        return super().coefficients(replace(b, w=np.ones_like(b.w)) if b.reduction == "sum" else b)


class SubnormalWeightsFlushed(Faithful):
    """Weights below the normal numbers of float16 are read as 0."""

    fails = "subnormal-weights"
    dtype = "float16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, w=np.where(b.w < 2.0**-14, b.w.dtype.type(0), b.w))
