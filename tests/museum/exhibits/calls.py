"""Exhibits that are wrong about the call: shapes, cotangents, invalid input, memory, state."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- shape ---------------------------------------------------------------------------------------


class ClassAxisNotMoved(Faithful):
    """Spatial logits are reshaped to (-1, C) as they lie in memory."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/pytorch/pytorch/pull/802"
    entries = ("SHP-11",)

    def rows(self, array: Array) -> Array:
        return array.reshape(-1, array.shape[self.class_axis(array)])


class MeanOfSampleMeans(Faithful):
    """Spatial logits: the mean over samples of the means within each."""

    fails = "spatial-equals-flattened"
    entries = ("SYN-13",)
    dtype = "float64"

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction != "mean" or b.soft or b.logits.ndim < 3:
            return super().reduced(b, losses)
        samples = len(b.logits)
        weights = (b.w * b.q).sum(1).reshape(samples, -1).sum(1)
        return np.asarray((losses.reshape(samples, -1).sum(1) / weights).mean())


class OneRowAloneRefused(Faithful):
    """The class axis is 1, always: one row alone raises IndexError."""

    fails = "unbatched-equals-batch-of-one"
    link = "https://github.com/pytorch/pytorch/issues/76939"
    entries = ("SHP-08",)

    def class_axis(self, array: Array) -> int:
        array.shape[1]
        return 1


class OneRowAloneIsABatch(Faithful):
    """One row alone gets a loss of shape (1,)."""

    fails = "unbatched-equals-batch-of-one"
    dtype = "bfloat16"

    def shaped(self, b: Batch, losses: Array) -> Array:
        return losses if b.logits.ndim == 1 else super().shaped(b, losses)


# -- gradient ------------------------------------------------------------------------------------


class FirstCotangentForAllRows(Faithful):
    """The cotangent's first element scales every row."""

    fails = "linear-in-the-cotangent"
    link = "https://github.com/linkedin/Liger-Kernel/issues/968"
    entries = ("GRD-01",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        return super().row_cotangents(b, np.full_like(g, g.reshape(-1)[0]))


class CotangentIgnored(Faithful):
    """The gradient is that of a cotangent of ones."""

    fails = "linear-in-the-cotangent"
    link = "https://github.com/pytorch/pytorch/pull/94226"
    entries = ("GRD-03", "GRD-06")
    dtype = "float16"

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        return super().row_cotangents(b, np.ones_like(g))


class SmallEntriesFiltered(Faithful):
    """Entries of the gradient below 2^-12 are dropped."""

    fails = "gradient-rows-sum-to-zero"
    link = "https://github.com/apple/ml-cross-entropy/issues/14"
    entries = ("DTY-06",)

    def placed(self, rows: Array, like: Array) -> Array:
        return super().placed(np.where(np.abs(rows) < 2.0**-12, 0, rows), like)


class DividedForEveryReduction(Faithful):
    """The gradient is divided by the number of rows for sum and none too."""

    fails = "gradient-formula"
    link = "https://github.com/linkedin/Liger-Kernel/pull/230"
    entries = ("GRD-12",)
    dtype = "bfloat16"

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        right = super().row_cotangents(b, g)
        return right if b.reduction == "mean" else right / max(1, int(b.kept.sum()))


# -- validation ----------------------------------------------------------------------------------


class LabelsWrapAround(Faithful):
    """A label outside [0, C) is taken modulo C."""

    fails = "out-of-range-target"
    link = "https://github.com/google-deepmind/optax/issues/1185"
    entries = ("INV-05",)

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        return super().one_hot(labels % classes, kept, classes)


class LabelsClamped(Faithful):
    """A label outside [0, C) is the nearest class."""

    fails = "out-of-range-target"
    link = "https://github.com/pytorch/pytorch/issues/66872"
    entries = ("INV-08",)
    dtype = "bfloat16"

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        return super().one_hot(np.clip(labels, 0, classes - 1), kept, classes)


class LabelsAsOneHotRows(Faithful):
    """The one-hot row of a label outside [0, C) is empty: the loss is 0."""

    fails = "out-of-range-target"
    link = "https://github.com/pytorch/pytorch/issues/108148"
    entries = ("IGN-02", "INV-04", "INV-09")
    dtype = "float64"

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        return kept[:, None] & (labels[:, None] == np.arange(classes))


class NanForALabelOutOfRange(Faithful):
    """A label outside [0, C) gives NaN and no exception."""

    fails = "out-of-range-target-answer"
    link = "https://github.com/tensorflow/tensorflow/issues/8484"
    entries = ("INV-02", "INV-03", "JIT-04")

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        inside = (labels >= 0) & (labels < classes)
        rows = super().one_hot(np.where(inside, labels, 0), kept, classes)
        return np.where((kept & ~inside)[:, None], np.nan, rows)


# -- memory and state ----------------------------------------------------------------------------


class SafeLabelsWrittenBack(Faithful):
    """Ignored labels are replaced by 0 in the caller's target."""

    fails = "inputs-are-not-modified"
    entries = ("SYN-16",)

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        result = super().loss(logits, target, **options)
        if target.dtype.kind in "iu":
            target[target == options.get("ignore_index", -100)] = 0
        return result


class GradientInPlace(Faithful):
    """The gradient is written over the logits."""

    fails = "gradient-does-not-modify-inputs"
    link = "https://github.com/linkedin/Liger-Kernel/pull/1251"
    entries = ("MEM-04",)

    def vjp(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        logits[...] = super().vjp(cotangent, logits, target, **options)
        return logits


class OrderOfTheDay(Faithful):
    """Losses are added in another order at every call, in the dtype of the logits."""

    fails = "repeatable"
    link = "https://github.com/pytorch/pytorch/issues/46024"
    entries = ("RACE-03",)
    dtype = "bfloat16"

    def __init__(self) -> None:
        self.calls = 0

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction == "none":
            return super().reduced(b, losses)
        self.calls += 1
        total = b.logits.dtype.type(0)
        for loss in losses[:: (-1) ** self.calls].astype(b.logits.dtype):
            total = total + loss
        return np.asarray(total / self.divisor(b) if b.reduction == "mean" else total)


class StaleBuffer(Faithful):
    """A call that sees the shape of the last one answers with its maximum."""

    fails = "repeatable"
    link = "https://github.com/pytorch/pytorch/issues/177116"
    entries = ("IDX-10",)

    def __init__(self) -> None:
        self.kept_losses: dict[tuple[int, ...], Array] = {}

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        right = super().row_losses(b, k, log_p)
        before = self.kept_losses.get(right.shape, right)
        self.kept_losses[right.shape] = right + before
        return before


def base_of(array: Array) -> Array:
    """The memory that an array is a view of, in the order of its addresses."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.ravel("K")


class UnitStrideAssumed(Faithful):
    """Labels are read from memory one after another, whatever their stride."""

    fails = "memory-layout"
    link = "https://github.com/pytorch/pytorch/issues/67167"
    entries = ("MEM-01",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        read = base_of(target)[: target.size]
        if read.size == target.size:
            target = read.reshape(target.shape)
        return super().batch(logits, target, **options)


class RowStrideAssumed(Faithful):
    """Rows of logits are taken to lie one after another in memory."""

    fails = "memory-layout"
    link = "https://github.com/NVIDIA/TransformerEngine/pull/2746"
    entries = ("MEM-02",)
    dtype = "float64"

    def rows(self, array: Array) -> Array:
        read = base_of(array)[: array.size]
        return super().rows(read.reshape(array.shape) if read.size == array.size else array)


class BackwardsContiguousOnly(Faithful):
    """The gradient refuses logits of four dimensions that are not contiguous."""

    fails = "memory-layout-of-the-gradient"
    link = "https://github.com/pytorch/pytorch/issues/175084"
    entries = ("MEM-03",)

    def vjp(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        if logits.ndim == 4 and not logits.flags.c_contiguous:
            raise RuntimeError("grad_input must be contiguous")
        return super().vjp(cotangent, logits, target, **options)
