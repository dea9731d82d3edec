"""Exhibits that divide by the wrong number, or reduce in another way than they were asked to."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- what the mean divides by --------------------------------------------------------------------


class NegativeLabelsAsEmptyRows(Faithful):
    """A negative ignore_index is not looked at: its one-hot rows are 0, but they count."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/pytorch/xla/issues/859"
    entries = ("RED-04",)

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return super().kept(labels, ignore_index) | (ignore_index < 0)

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        return super().one_hot(labels, kept & (labels >= 0), classes)

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) if b.soft or b.ignore_index >= 0 else b.kept.sum()


class NoDivisionForProbabilities(Faithful):
    """The mean is the sum where the target has the shape of the logits."""

    fails = "probabilities-formula"
    link = "https://github.com/apache/mxnet/issues/5981"
    entries = ("RED-10",)
    dtype = "bfloat16"

    def divisor(self, b: Batch) -> Any:
        return b.x.dtype.type(1) if b.soft else super().divisor(b)


class DividedByThePositionsToo(Faithful):
    """The mean of spatial logits is divided by the rows kept and by the size of a sample."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/apache/mxnet/pull/2231"
    entries = ("RED-10",)

    def divisor(self, b: Batch) -> Any:
        positions = np.prod(b.logits.shape[2:], dtype=b.x.dtype)
        return super().divisor(b) * (1 if b.soft else positions)


class SmoothedMeanOverSamples(Faithful):
    """With label smoothing the mean is divided by the length of the batch, padding included."""

    fails = "smoothing-formula"
    link = "https://github.com/huggingface/transformers/pull/5919"
    entries = ("RED-11",)

    def divisor(self, b: Batch) -> Any:
        return b.x.dtype.type(len(b.logits)) if b.e and not b.soft else super().divisor(b)


class SmoothedMeanOverAllRows(Faithful):
    """With label smoothing the mean is divided by all rows, ignored or not."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/eladhoffer/utils.pytorch/issues/4"
    entries = ("RED-16",)

    def divisor(self, b: Batch) -> Any:
        return b.kept.size if b.e and not b.soft else super().divisor(b)


class MeanOverSamples(Faithful):
    """The mean of spatial logits is divided by the number of samples alone."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/OpenNMT/OpenNMT-py/issues/2209"
    entries = ("ACC-03",)
    dtype = "float16"

    def divisor(self, b: Batch) -> Any:
        samples = b.x.dtype.type(len(b.logits))
        return samples if b.logits.ndim > 2 else super().divisor(b)


class DivisorPlusEpsilon(Faithful):
    """The divisor is guarded by an epsilon of 1e-6."""

    fails = "weight-formula"
    entries = ("SYN-03",)
    dtype = "float64"

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) + 1e-6


class GradientDividedBySamples(Faithful):
    """The gradient of a mean is divided by the length of the batch; the loss is right."""

    fails = "gradient-formula"
    link = "https://github.com/open-mmlab/mmsegmentation/pull/1409"
    entries = ("RED-01",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        right = super().row_cotangents(b, g)
        if b.reduction != "mean" or b.soft or b.logits.ndim < 2:
            return right
        return right * (self.divisor(b) / b.x.dtype.type(len(b.logits)))


class EvenRowsOnly(Faithful):
    """The mean counts the rows in pairs: an odd one is added, but not counted."""

    fails = "reductions-agree"
    dtype = "float64"

    def divisor(self, b: Batch) -> Any:
        rows = len(b.x)
        return super().divisor(b) * (b.x.dtype.type(max(1, rows - rows % 2)) / rows)


# -- none and sum --------------------------------------------------------------------------------


class NoneAddsChunks(Faithful):
    """reduction="none" adds the vectors of its chunks of two rows."""

    fails = "result-shape"
    link = "https://github.com/NVIDIA-NeMo/Automodel/pull/3804"
    entries = ("RED-08",)

    def shaped(self, b: Batch, losses: Array) -> Array:
        if len(losses) <= 2:
            return super().shaped(b, losses)
        return np.pad(losses, (0, len(losses) % 2)).reshape(-1, 2).sum(0)


class AlwaysTheMean(Faithful):
    """The reduction is taken, and not passed on."""

    fails = "reductions-agree"
    link = "https://github.com/facebookresearch/detectron2/pull/3454"
    entries = ("RED-12",)

    def legacy(self, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
        return "mean"


class SumOverSamplesIsAMean(Faithful):
    """The sum is divided by the length of the batch."""

    fails = "reductions-agree"
    dtype = "float16"

    def reduced(self, b: Batch, losses: Array) -> Array:
        right = super().reduced(b, losses)
        return right / b.x.dtype.type(len(b.x)) if b.reduction == "sum" else right


class NoneKeepsTheMean(Faithful):
    """reduction="none" is scaled by all rows over the rows kept, so that its mean is the mean."""

    fails = "ignored-rows-are-dropped"
    entries = ("SYN-12",)
    dtype = "float64"

    def shaped(self, b: Batch, losses: Array) -> Array:
        scale = b.x.dtype.type(b.kept.size / max(1, b.kept.sum()))
        return super().shaped(b, losses * scale)


class NoneDividedByTheRows(Faithful):
    """reduction="none" is divided by the number of rows, so that its sum is the mean."""

    fails = "splitting-the-batch"

    def shaped(self, b: Batch, losses: Array) -> Array:
        return super().shaped(b, losses / b.x.dtype.type(len(losses)))


class NoneBackToFront(Faithful):
    """reduction="none" gives the rows in the reverse order."""

    fails = "row-permutation"
    entries = ("SYN-19",)
    dtype = "bfloat16"

    def shaped(self, b: Batch, losses: Array) -> Array:
        return super().shaped(b, losses[::-1])


class LastRowOfTheSumForgotten(Faithful):
    """The sum stops one row early where the rows do not fill a pair."""

    fails = "splitting-the-batch"

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction == "sum" and len(losses) > 1 and len(losses) % 2:
            losses = losses[:-1]
        return super().reduced(b, losses)
