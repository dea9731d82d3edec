"""Exhibits that fail where there is little or nothing: no rows, one class, nothing kept."""

from __future__ import annotations

from typing import Any

from faithful import Array, Batch, Faithful


class EmptyBatchRefused(Faithful):
    """Logits without elements raise."""

    fails = "no-rows"
    link = "https://github.com/pytorch/pytorch/issues/15870"
    entries = ("DEG-01", "DEG-03")

    def rows(self, array: Array) -> Array:
        if not array.size:
            raise RuntimeError("the input is empty")
        return super().rows(array)


class MeanOfNoRowsIsZero(Faithful):
    """The mean of an empty batch is 0, where 0/0 is NaN."""

    fails = "mean-of-no-rows"
    link = "https://github.com/pytorch/pytorch/issues/51910"
    entries = ("DEG-01",)

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) if len(b.x) else b.x.dtype.type(1)


class MaximumOfNothing(Faithful):
    """The largest logit of a batch is looked for, which an empty one does not have."""

    fails = "no-rows"
    link = "https://github.com/apache/mxnet/issues/20005"
    entries = ("DEG-08",)
    dtype = "float16"

    def shifted(self, x: Array) -> Array:
        x.max()  # raises where there is nothing
        return super().shifted(x)


class AllIgnoredHasNoGradient(Faithful):
    """The gradient is divided by the number of rows kept, none: 0/0 in every row."""

    fails = "all-ignored-is-zero"
    link = "https://github.com/microsoft/onnxruntime/pull/4911"
    entries = ("DEG-04", "DEG-06")

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        return rows if b.kept.any() else rows + g.reshape(-1, 1)


class SmoothingOverNoOthers(Faithful):
    """Where there is one class, e is spread over C - 1 = 0 others."""

    fails = "one-class"
    link = "https://github.com/keras-team/keras/issues/17029"
    entries = ("DEG-07",)

    def smoothed(self, b: Batch) -> Array:
        number = b.x.dtype.type
        others = number(b.classes - (b.classes == 1))
        return number(1 - b.e) * b.q + number(b.e) / others


class ZeroWeightsGuarded(Faithful):
    """A mean over weights that sum to 0 is 0, but not one over ignored rows."""

    fails = "mean-of-zero-weights"
    entries = ("DEG-09",)

    def divisor(self, b: Batch) -> Any:
        total = super().divisor(b)
        return b.x.dtype.type(1) if b.kept.any() and total == 0 else total
