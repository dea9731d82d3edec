"""Exhibits that need several options at once, one dtype, one size, one layout, or a call before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- three and four options ----------------------------------------------------------------------


class SmoothedProbabilitiesUnweighted(Faithful):
    """Probabilities, weights and smoothing: the uniform part has no weights."""

    fails = "probabilities-formula"

    def coefficients(self, b: Batch) -> Array:
        right = super().coefficients(b)
        return right + b.x.dtype.type(b.e / b.classes) * (1 - b.w) if b.soft else right


class WeightedSmoothedSumUnmasked(Faithful):
    """Weights, smoothing, ignored rows and sum: the uniform part counts ignored rows too."""

    fails = "smoothing-formula"
    link = "https://github.com/pytorch/pytorch/issues/73205"
    entries = ("IGN-04",)

    def coefficients(self, b: Batch) -> Array:
        if b.weighted and b.reduction == "sum":
            return b.w * self.smoothed(b)
        return super().coefficients(b)


class SpatialWeightedMeanCounts(Faithful):
    """Spatial logits, weights and mean: divided by the number of rows kept."""

    fails = "reductions-agree"
    link = "https://github.com/pytorch/pytorch/pull/64203"
    entries = ("WGT-06",)

    def divisor(self, b: Batch) -> Any:
        if b.logits.ndim > 2 and not b.soft:
            return super().divisor(replace(b, w=np.ones_like(b.w)))
        return super().divisor(b)


class NegativeWeightsNotSmoothed(Faithful):
    """Negative weights and smoothing: the uniform part takes them for 0."""

    fails = "smoothing-formula"
    dtype = "bfloat16"

    def coefficients(self, b: Batch) -> Array:
        uniform = b.x.dtype.type(b.e / b.classes) * np.minimum(b.w, 0)
        return super().coefficients(b) - uniform * b.kept[:, None]


class WeightOfAnIgnoredClassCounts(Faithful):
    """Weights, an ignored class and mean: the divisor counts the weight of the ignored class."""

    fails = "any-index-can-be-ignored"

    def divisor(self, b: Batch) -> Any:
        right = super().divisor(b)
        if b.soft or not b.weighted or not 0 <= b.ignore_index < b.classes:
            return right
        return right + b.w[b.ignore_index] * (~b.kept).sum()


class SmoothedNoneUnmaskedBackwards(Faithful):
    """Smoothing, ignored rows and none: the gradient of the uniform part is not masked."""

    fails = "ignored-rows-are-exactly-zero"
    dtype = "float64"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if b.reduction == "none" and b.e:
            b, k = replace(b, kept=np.ones_like(b.kept)), b.w * self.smoothed(b)
        return super().row_gradients(b, k, p, g)


class OneRowOfProbabilitiesUnsmoothed(Faithful):
    """One row alone, probabilities and smoothing: not smoothed."""

    fails = "unbatched-equals-batch-of-one"
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        return b.q if b.soft and b.logits.ndim == 1 else super().smoothed(b)


class SpatialProbabilitiesMeanOverSamples(Faithful):
    """Spatial logits, probabilities and mean: divided by the number of samples."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/pytorch/pytorch/pull/59824"
    entries = ("RED-14",)
    dtype = "float16"

    def divisor(self, b: Batch) -> Any:
        spatial = b.soft and b.logits.ndim > 2
        return b.x.dtype.type(len(b.logits)) if spatial else super().divisor(b)


class WeightedSmoothedGradientOfTheMean(Faithful):
    """Weights, smoothing and mean: the gradient is divided by the count; the loss is right."""

    fails = "smoothing-gradient"
    link = "https://github.com/linkedin/Liger-Kernel/pull/420"
    entries = ("WGT-04",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        return super().row_cotangents(replace(b, w=np.ones_like(b.w)) if b.e else b, g)


class FullSmoothingForgetsTheWeights(Faithful):
    """Weights and a smoothing of 1: the rows' losses have no weights."""

    fails = "smoothing-formula"
    dtype = "float16"

    def coefficients(self, b: Batch) -> Array:
        return super().coefficients(replace(b, w=np.ones_like(b.w)) if b.e == 1 else b)


# -- one dtype, one size -------------------------------------------------------------------------


class Bfloat16Unsmoothed(Faithful):
    """The kernel for bfloat16 has no label smoothing."""

    fails = "smoothing-formula"
    dtype = "bfloat16"

    def smoothed(self, b: Batch) -> Array:
        return b.q if b.logits.dtype.name == "bfloat16" else super().smoothed(b)


class Float64Unshifted(Faithful):
    """The kernel for float64 trusts its range and subtracts no maximum."""

    fails = "accurate"
    dtype = "float64"

    def shifted(self, x: Array) -> Array:
        return x if x.dtype == np.float64 else super().shifted(x)


class Float16MaskedByMultiplication(Faithful):
    """The kernel for float16 multiplies ignored rows by 0."""

    fails = "garbage-in-ignored-rows-is-harmless"
    link = "https://github.com/sooftware/kospeech/issues/37"
    entries = ("SPV-11",)
    dtype = "float16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        if b.logits.dtype == np.float16:
            return (-k * np.where((k == 0) & b.kept[:, None], 0, log_p)).sum(1)
        return super().row_losses(b, k, log_p)


class WideRowsUnweighted(Faithful):
    """Beyond 32 classes another kernel takes over, which has no weights."""

    fails = "weight-formula"

    def coefficients(self, b: Batch) -> Array:
        return super().coefficients(replace(b, w=np.ones_like(b.w)) if b.classes > 32 else b)


class ManyRowsUnweighted(Faithful):
    """From 256 rows on another kernel takes over, which has no weights."""

    fails = "many-rows-reduced"

    def coefficients(self, b: Batch) -> Array:
        return super().coefficients(replace(b, w=np.ones_like(b.w)) if len(b.x) >= 256 else b)


class TwoClassesAsALogistic(Faithful):
    """Two classes are computed as a logistic regression, without label smoothing."""

    fails = "smoothing-formula"

    def smoothed(self, b: Batch) -> Array:
        return b.q if b.classes == 2 else super().smoothed(b)


class FourRowsAtATime(Faithful):
    """Rows are computed four at a time; those left over are not weighted."""

    fails = "row-permutation"

    def coefficients(self, b: Batch) -> Array:
        right = super().coefficients(b)
        unweighted = super().coefficients(replace(b, w=np.ones_like(b.w)))
        whole = len(b.x) - len(b.x) % 4
        return np.where((np.arange(len(b.x)) < whole)[:, None], right, unweighted)


# -- layouts and calls before --------------------------------------------------------------------


class StridedLogitsUnweighted(Faithful):
    """The path for logits that are not contiguous has no weights."""

    fails = "memory-layout"
    dtype = "float16"

    def coefficients(self, b: Batch) -> Array:
        if b.logits.flags.c_contiguous:
            return super().coefficients(b)
        return super().coefficients(replace(b, w=np.ones_like(b.w)))


class StridedLogitsUnmaskedBackwards(Faithful):
    """The gradient for logits that are not contiguous does not mask ignored rows."""

    fails = "memory-layout-of-the-gradient"
    dtype = "bfloat16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if not b.logits.flags.c_contiguous and b.labels is not None:
            wrong = np.where(b.kept[:, None], k, b.w * b.x.dtype.type(1 / b.classes))
            return g.reshape(-1, 1) * (p * wrong.sum(1, keepdims=True) - wrong)
        return super().row_gradients(b, k, p, g)


class LogSumExpOfAnOlderCall(Faithful):
    """log sum exp is remembered by the shape of the logits: another batch gets the old one."""

    fails = "row-permutation"
    entries = ("SYN-14",)

    def __init__(self) -> None:
        self.remembered: dict[tuple[int, ...], Array] = {}

    def log_softmax(self, x: Array) -> Array:
        log_p = super().log_softmax(x)
        return x - self.remembered.setdefault(x.shape, (x - log_p)[:, :1])


class WeightsOfAnOlderCall(Faithful):
    """Weights are remembered by their number: other weights for as many classes do not count."""

    fails = "linear-in-the-weights"

    def __init__(self) -> None:
        self.remembered: dict[int, Array] = {}

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, w=self.remembered.setdefault(b.classes, b.w)) if b.weighted else b


class ReductionOfTheCallBefore(Faithful):
    """A call without a reduction takes that of the call before."""

    fails = "loss-formula"
    dtype = "float16"

    def __init__(self) -> None:
        self.before = "mean"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        self.before = options.setdefault("reduction", self.before)
        return super().batch(logits, target, **options)


class MaximumSoFar(Faithful):
    """The maximum is kept from call to call, and grows."""

    fails = "splitting-the-batch"
    dtype = "float64"

    def __init__(self) -> None:
        self.seen = -np.inf

    def shifted(self, x: Array) -> Array:
        self.seen = max(self.seen, x.max())
        return x - self.seen
