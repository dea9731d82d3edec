"""Exhibits that accept arguments which fit no question."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful


class TargetBroadcast(Faithful):
    """A target of one row serves all rows; one row too many is left over."""

    fails = "wrong-shapes-are-rejected"
    link = "https://github.com/google-deepmind/optax/issues/1185"
    entries = ("INV-05",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        axis = self.class_axis(logits)
        rows = logits.shape[:axis] + logits.shape[axis + 1 :]
        if target.dtype.kind in "iu" and target.shape != rows:
            target = np.resize(target, rows)
        return super().batch(logits, target, **options)


class TargetFlattened(Faithful):
    """Any target of the right number of labels will do, whatever its shape."""

    fails = "wrong-shapes-are-rejected"
    dtype = "float64"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        axis = self.class_axis(logits)
        rows = logits.shape[:axis] + logits.shape[axis + 1 :]
        if target.dtype.kind in "iu" and target.size == np.prod(rows):
            target = target.reshape(rows)
        return super().batch(logits, target, **options)


class LongWeightsCut(Faithful):
    """Of a weight vector that is too long the first C elements are used."""

    fails = "wrong-weight-length-is-rejected"
    link = "https://github.com/pytorch/pytorch/pull/172018"
    entries = ("INV-10",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        weight = options.get("weight")
        if weight is not None:
            options["weight"] = weight[: logits.shape[self.class_axis(logits)]]
        return super().batch(logits, target, **options)


class UnknownReductionIsMean(Faithful):
    """What is neither none nor sum is taken for mean."""

    fails = "unknown-reduction-is-rejected"

    def check_reduction(self, reduction: str) -> None:
        pass

    def legacy(self, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
        known = reduction if reduction in ("none", "sum") else "mean"
        return super().legacy(known, size_average, reduce)


class UnknownReductionIsNothing(Faithful):
    """Nothing is returned for a reduction that there is not."""

    fails = "unknown-reduction-is-rejected"
    dtype = "bfloat16"

    def check_reduction(self, reduction: str) -> None:
        pass

    def loss(self, logits: Array, target: Array, **options: Any) -> Any:
        if options.get("reduction", "mean") in ("none", "mean", "sum"):
            return super().loss(logits, target, **options)
        return None


class NegativeSmoothingIsOff(Faithful):
    """Only the upper end of label_smoothing is checked; below 0 it is taken for 0."""

    fails = "smoothing-outside-0-1-is-rejected"
    link = "https://github.com/pytorch/pytorch/issues/134767"
    entries = ("INV-06",)

    def check_smoothing(self, label_smoothing: float) -> None:
        if label_smoothing > 1:
            raise ValueError(f"label_smoothing is {label_smoothing}")

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        b.e = b.e if b.e > 0 else 0.0
        return b


class FloatsTruncated(Faithful):
    """Class indices of a floating-point dtype are converted."""

    fails = "floating-point-indices-are-rejected"
    link = "https://github.com/apache/mxnet/issues/8405"
    entries = ("DTY-08",)
    dtype = "float16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if target.ndim < logits.ndim:
            target = target.astype(np.int64)
        return super().batch(logits, target, **options)
