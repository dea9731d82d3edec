"""Exhibits that break an identity of the options: linear, free of scale, off at 0, uniform at 1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- weight --------------------------------------------------------------------------------------


class BackwardsDividesByRows(Faithful):
    """The loss is divided by the sum of weights, its gradient by the number of rows."""

    fails = "weight-gradient"
    link = "https://github.com/pytorch/xla/pull/287"
    entries = ("WGT-08",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        return super().row_cotangents(replace(b, w=np.ones_like(b.w)), g)


class NegativeWeightsSkippedBackwards(Faithful):
    """Rows whose class has a negative weight have no gradient."""

    fails = "weight-gradient"
    link = "https://github.com/pytorch/pytorch/issues/64256"
    entries = ("WGT-02",)
    dtype = "float16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        return rows if b.soft else np.where((b.q * b.w).sum(1, keepdims=True) < 0, 0, rows)


class DivisorAtLeastOne(Faithful):
    """The sum of weights is kept at 1 or above, against a division by 0."""

    fails = "mean-ignores-the-scale-of-weights"
    entries = ("SYN-03",)

    def divisor(self, b: Batch) -> Any:
        return np.maximum(super().divisor(b), b.x.dtype.type(1))


class WeightedSumOverRows(Faithful):
    """The old convention: the weighted sum over the number of rows."""

    fails = "mean-ignores-the-scale-of-weights"
    link = "https://github.com/torch/nn/issues/775"
    entries = ("WGT-07",)
    dtype = "bfloat16"

    def divisor(self, b: Batch) -> Any:
        return b.x.dtype.type(b.kept.sum())


class WeightsMadeToSumToC(Faithful):
    """Weights are normalised to the mean 1: the mean is right, none and sum are not."""

    fails = "linear-in-the-weights"
    entries = ("SYN-06",)

    def coefficients(self, b: Batch) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return super().coefficients(b) / b.w.mean()


class WeightedProbabilities(Faithful):
    """Weights multiply the probabilities, not their logarithms."""

    fails = "linear-in-the-weights"
    link = "https://github.com/PaddlePaddle/Paddle/pull/24352"
    entries = ("WGT-03",)
    dtype = "float64"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        plain = self.coefficients(replace(b, w=np.ones_like(b.w)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return super().row_losses(b, plain, log_p + np.log(np.abs(b.w)))


# -- ignore_index --------------------------------------------------------------------------------


class GradientOverNoRows(Faithful):
    """The gradient of every reduction is divided by the rows kept, and multiplied by them again."""

    fails = "all-ignored-is-zero"
    link = "https://github.com/microsoft/onnxruntime/pull/3734"
    entries = ("DEG-04",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        return rows if b.kept.any() or b.soft else rows / b.x.dtype.type(b.kept.sum())


class SumOfNothingIsNan(Faithful):
    """Without a row to train on the loss is NaN, whatever the reduction."""

    fails = "all-ignored-is-zero"
    link = "https://github.com/NVIDIA-NeMo/Automodel/issues/3796"
    entries = ("DEG-06",)
    dtype = "float16"

    def reduced(self, b: Batch, losses: Array) -> Array:
        right = super().reduced(b, losses)
        return right if b.kept.any() or b.reduction != "sum" else right * np.nan


class MinusOneHardCoded(Faithful):
    """Rows with the label -1 are ignored, whatever index was asked for."""

    fails = "any-index-can-be-ignored"
    link = "https://github.com/chainer/chainer/issues/2715"
    entries = ("IGN-01",)

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return labels != -1


class IgnoreIndexOf32Bits(Faithful):
    """The ignored index is passed to the kernel as an int of 32 bits."""

    fails = "ignore-index-beyond-32-bits"

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return super().kept(labels, (ignore_index + 2**31) % 2**32 - 2**31)


class IgnoredClassLeavesTheSoftmax(Faithful):
    """A class that is ignored is taken out of the softmax too."""

    fails = "any-index-can-be-ignored"
    link = "https://github.com/pytorch/pytorch/issues/63004"
    entries = ("IGN-17",)
    dtype = "float64"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        if not b.soft and b.kept.any() and 0 <= b.ignore_index < b.classes:
            b.x[:, b.ignore_index] = -np.inf
        return b


class IgnoredByAWeightOfZero(Faithful):
    """The weight of the ignored class is set to 0: an index that is no class raises."""

    fails = "any-index-can-be-ignored"
    link = "https://github.com/onnx/onnx/pull/2696"
    entries = ("IGN-21",)
    dtype = "bfloat16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        if not b.kept.all():
            b.w = b.w.copy()
            b.w[b.ignore_index] = 0
        return b


class RangeCheckedFirst(Faithful):
    """Unreduced losses check the range of labels before any is ignored."""

    fails = "any-index-can-be-ignored"
    link = "https://github.com/pytorch/pytorch/issues/15508"
    entries = ("IGN-13",)
    dtype = "float16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        if b.reduction == "none" and b.labels is not None and (b.labels >= b.classes).any():
            raise IndexError("target out of bounds")
        return b


# -- label smoothing -----------------------------------------------------------------------------


class UniformTermWhenAsked(Faithful):
    """The uniform part is computed for a smoothing of 0 too: 0 x inf beside a masked class."""

    fails = "zero-smoothing-is-off"
    link = "https://github.com/candle-org/MindAct/pull/1633"
    entries = ("LSM-09",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        self.asked = "label_smoothing" in options
        return super().batch(logits, target, **options)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        return losses + b.x.dtype.type(0) * log_p.sum(1) if self.asked else losses


class ZeroIsTakenForTheDefault(Faithful):
    """``label_smoothing or 0.1``: a smoothing of 0 that is said is not heard."""

    fails = "zero-smoothing-is-off"
    dtype = "bfloat16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if "label_smoothing" in options:
            options["label_smoothing"] = options["label_smoothing"] or 0.1
        return super().batch(logits, target, **options)


class SmoothingScaledByTheOthers(Faithful):
    """The share of the target is 1 - e C / (C - 1): it still has one, a negative, at e = 1."""

    fails = "full-smoothing-is-uniform"
    link = "https://github.com/fastai/fastai/pull/1814"
    entries = ("LSM-04",)

    def smoothed(self, b: Batch) -> Array:
        number = b.x.dtype.type
        others = max(1, b.classes - 1)
        return number(1 - b.e * b.classes / others) * b.q + number(b.e / b.classes)


class SmoothingTimesTheTargetsWeight(Faithful):
    """All of a smoothed row is multiplied by the weight of its target."""

    fails = "full-smoothing-is-uniform"
    link = "https://github.com/linkedin/Liger-Kernel/pull/420"
    entries = ("WGT-04",)
    dtype = "bfloat16"

    def coefficients(self, b: Batch) -> Array:
        if b.soft or not b.e:
            return super().coefficients(b)
        own = (b.w * b.q).sum(1, keepdims=True)
        return np.where(b.kept[:, None], own * self.smoothed(b), b.x.dtype.type(0))


class ProbabilitiesLeftUnsmoothed(Faithful):
    """Smoothing is for class indices only."""

    fails = "smoothing-a-label-smooths-its-one-hot"
    link = "https://github.com/pytorch/pytorch/pull/63122"
    entries = ("SFT-06",)

    def smoothed(self, b: Batch) -> Array:
        return b.q if b.soft else super().smoothed(b)


# -- probabilities -------------------------------------------------------------------------------


class DivergenceForEntropy(Faithful):
    """The Kullback-Leibler divergence: the entropy of the target is subtracted."""

    fails = "linear-in-the-probabilities"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        if not b.soft:
            return losses
        return losses + np.where(k > 0, k * np.log(np.where(k > 0, k, 1)), 0).sum(1)


class SumTakenForOneBackwards(Faithful):
    """The gradient is p - q, whatever q sums to."""

    fails = "probabilities-need-not-sum-to-one"
    link = "https://github.com/tensorflow/tensorflow/issues/60314"
    entries = ("SFT-01", "SFT-02", "SFT-03")

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return g.reshape(-1, 1) * (p - k) if b.soft else super().row_gradients(b, k, p, g)


class RowsScaledToOne(Faithful):
    """Rows of probabilities are divided by their sums first."""

    fails = "probabilities-need-not-sum-to-one"
    link = "https://github.com/keras-team/tf-keras/issues/409"
    entries = ("SFT-05",)
    dtype = "bfloat16"

    def smoothed(self, b: Batch) -> Array:
        if not b.soft:
            return super().smoothed(b)
        return super().smoothed(replace(b, q=b.q / b.q.sum(1, keepdims=True)))


class ZeroProbabilityTimesInfinity(Faithful):
    """-q log p with q = 0 and log p = -inf is NaN."""

    fails = "masked-class-with-probability-zero"
    link = "https://github.com/google-deepmind/optax/issues/896"
    entries = ("SPV-01", "SPV-13")

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return (-k * log_p).sum(1) if b.soft else super().row_losses(b, k, log_p)
