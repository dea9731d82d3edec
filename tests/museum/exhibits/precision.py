"""Exhibits that lose digits: sums, labels, weights or results in too narrow a format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
from faithful import Array, Batch, Faithful

# -- sums ----------------------------------------------------------------------------------------


class LossesSummedInFloat32(Faithful):
    """Losses in float64 are added in float32; those of reduction="none" are right."""

    fails = "loss-formula"
    link = "https://github.com/pytorch/pytorch/issues/64163"
    entries = ("DTY-03",)
    dtype = "float64"

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction != "none":
            losses = losses.astype(np.float32)
        return super().reduced(b, losses)


class LogSumExpInBfloat16(Faithful):
    """The normaliser is rounded to bfloat16 before the logit is subtracted from it."""

    fails = "offset-costs-nothing"
    link = "https://github.com/google-deepmind/optax/issues/1020"
    entries = ("DTY-04",)
    dtype = "bfloat16"

    def log_softmax(self, x: Array) -> Array:
        m = x.max(1, keepdims=True)
        normaliser = m + np.log(self.class_sum(np.exp(x - m)))
        return x - normaliser.astype(ml_dtypes.bfloat16).astype(x.dtype)


class SumTruncatedToBfloat16(Faithful):
    """Each partial sum over the classes loses the lower half of its bits, not rounded."""

    fails = "accumulates-in-float32"
    link = "https://github.com/pytorch/pytorch/pull/24457"
    entries = ("DTY-05",)
    dtype = "bfloat16"

    def class_sum(self, terms: Array) -> Array:
        total = np.zeros((len(terms), 1), np.float32)
        for column in terms.T:
            total = ((total + column[:, None]).view(np.uint32) & 0xFFFF0000).view(np.float32)
        return total


class EachLossDividedFirst(Faithful):
    """Each loss is divided by the number of rows before they are added, in float16."""

    fails = "finite-mean"
    link = "https://github.com/torch/cunn/pull/445"
    entries = ("DTY-07",)
    dtype = "float16"

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction != "mean":
            return super().reduced(b, losses)
        parts = (losses / self.divisor(b)).astype(np.float16)
        return np.asarray(np.add.accumulate(parts)[-1])


class SmoothingSummedInFloat16(Faithful):
    """The uniform part of label smoothing is added over the classes in float16."""

    fails = "accumulates-in-float32"
    link = "https://github.com/PFCCLab/PaddleAPITest/pull/478"
    entries = ("DTY-11",)
    dtype = "float16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        products = np.where(k == 0, 0, -k * log_p).astype(np.float16)
        return np.add.accumulate(products, axis=1)[:, -1].astype(k.dtype)


class ClassLossesSummedInFloat16(Faithful):
    """The uniform part of label smoothing ends at 65504: its sum is stored before its division."""

    fails = "finite-class-sums"
    link = "https://github.com/PFCCLab/PaddleAPITest/pull/478"
    entries = ("DTY-11",)
    dtype = "float16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        total = -log_p.sum(1)
        return np.where((b.e > 0) & (total > 65504), np.float32(np.inf), losses)


class SumOfExpStoredInFloat16(Faithful):
    """The sum of exp is stored in float16: 65,520 equal logits have the loss inf."""

    fails = "finite-class-sums"
    dtype = "float16"

    def class_sum(self, terms: Array) -> Array:
        total = super().class_sum(terms)
        return np.where(total > 65504, np.float32(np.inf), total)


class RowsCountedInFloat16(Faithful):
    """The divisor of the mean is added up in float16: it ends at 2048 rows."""

    fails = "finite-mean"
    link = "https://github.com/pytorch/pytorch/issues/85791"
    entries = ("DTY-01",)
    dtype = "float16"

    def divisor(self, b: Batch) -> Any:
        if b.soft:
            return super().divisor(b)
        return np.add.accumulate((b.w * b.q).sum(1).astype(np.float16))[-1]


class WeightsSummedInFloat16(Faithful):
    """The sum of the rows' weights is stored in float16: where it is inf, the mean is 0."""

    fails = "finite-weighted-mean"
    dtype = "float16"
    spares = ("finite-mean", "weight-formula")

    def divisor(self, b: Batch) -> Any:
        total = super().divisor(b)
        return np.where(total > 65504, np.float32(np.inf), total)


# -- what goes in --------------------------------------------------------------------------------


class LabelsInFloat16(Faithful):
    """Labels are held in float16, where odd ones above 2048 do not exist, and none above 65504."""

    fails = "vocabularies"
    link = "https://github.com/THUFutureLab/gluon-face/issues/28"
    entries = ("DTY-08",)

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        rounded = np.where(kept, labels, 0).astype(np.float16).astype(np.int64)
        return super().one_hot(rounded, kept, classes)


class ExponentialsInFloat16(Faithful):
    """exp is taken in float16."""

    fails = "accurate"
    link = "https://github.com/pytorch/xla/pull/8094"
    entries = ("DTY-13",)

    def log_softmax(self, x: Array) -> Array:
        d = self.shifted(x)
        return d - np.log(self.class_sum(np.exp(d.astype(np.float16)).astype(x.dtype)))


class SmoothingInFloat32(Faithful):
    """label_smoothing passes through float32 on its way to float64."""

    fails = "smoothing-formula"
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        return super().smoothed(replace(b, e=float(np.float32(b.e))))


class WeightsInFloat32(Faithful):
    """Weights pass through float32 on their way to float64."""

    fails = "weight-formula"
    entries = ("SYN-07",)
    dtype = "float64"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, w=b.w.astype(np.float32).astype(b.w.dtype))


class CotangentInFloat32(Faithful):
    """Cotangents pass through float32 on their way to float64."""

    fails = "linear-in-the-cotangent"
    dtype = "float64"

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        return super().row_cotangents(b, g.astype(np.float32).astype(g.dtype))


# -- what comes out ------------------------------------------------------------------------------


class GradientThroughBfloat16(Faithful):
    """The softmax of the gradient is stored in bfloat16; the loss is right."""

    fails = "gradient-formula"
    link = "https://github.com/apple/ml-cross-entropy/pull/18"
    entries = ("DTY-06",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, p.astype(ml_dtypes.bfloat16).astype(p.dtype), g)


class ScalarsInFloat64(Faithful):
    """Sum and mean are Python floats; reduction="none" keeps its dtype."""

    fails = "result-dtype"

    def finished(self, b: Batch, result: Array) -> Array:
        return super().finished(b, result) if result.ndim else result.astype(np.float64)
