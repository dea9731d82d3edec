"""Exhibits whose offsets end too early: at 2^31 elements in the reports, at 2^15 here."""

from __future__ import annotations

import numpy as np
from faithful import Array, Batch, Faithful

END = 2**15
"""Numbers of elements and of rows wrap here."""


def before_the_end(rows: Array) -> Array:
    """Which elements of an array (M, C) have an offset that fits."""
    fits: Array = np.arange(rows.size).reshape(rows.shape) < END
    return fits


def read_again(rows: Array) -> Array:
    """Each element of an array (M, C) from its wrapped offset."""
    return rows.reshape(-1)[np.arange(rows.size) % END].reshape(rows.shape)


class LossReadAtAWrappedOffset(Faithful):
    """Log-probabilities beyond the last offset are read from the front again."""

    fails = "many-rows-at-once"
    link = "https://github.com/pytorch/pytorch/issues/85786"
    entries = ("IDX-01",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return super().row_losses(b, k, read_again(log_p))


class LossesBeyondTheEndUnwritten(Faithful):
    """Losses of rows beyond the last offset stay 0."""

    fails = "many-rows-at-once"
    link = "https://github.com/pytorch/pytorch/issues/111484"
    entries = ("IDX-02",)
    dtype = "float16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return np.where(before_the_end(b.x)[:, 0], super().row_losses(b, k, log_p), 0)


class TargetsReadAtAWrappedOffset(Faithful):
    """The gradient of a sum or a mean reads its targets from the front again."""

    fails = "many-rows-reduced"
    link = "https://github.com/pytorch/pytorch/issues/190139"
    entries = ("IDX-03",)

    def gradient_coefficients(self, b: Batch) -> Array:
        k = self.coefficients(b)
        return k if b.reduction == "none" else read_again(k)


class GradientBeyondTheEndIsZero(Faithful):
    """Gradients beyond the last offset stay 0; the loss is right."""

    fails = "many-rows-at-once"
    link = "https://github.com/intel/torch-xpu-ops/pull/4725"
    entries = ("IDX-04",)
    dtype = "float64"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return np.where(before_the_end(p), super().row_gradients(b, k, p, g), 0)


class LogSoftmaxBeyondTheEndUnwritten(Faithful):
    """log_softmax writes nothing beyond the last offset."""

    fails = "vocabularies"
    link = "https://github.com/pytorch/pytorch/issues/84144"
    entries = ("IDX-05",)
    dtype = "float64"

    def log_softmax(self, x: Array) -> Array:
        return np.where(before_the_end(x), super().log_softmax(x), 0)


class RowsReadFromAWrappedStart(Faithful):
    """The start of a row, its number times its length, wraps: the row of another is read."""

    fails = "many-rows-at-once"
    link = "https://github.com/Dao-AILab/flash-attention/issues/714"
    entries = ("IDX-06", "IDX-07", "IDX-08")
    dtype = "bfloat16"

    def shifted(self, x: Array) -> Array:
        starts = np.arange(len(x))[:, None] * x.shape[1] % END
        return super().shifted(x.reshape(-1)[starts + np.arange(x.shape[1])])


class NoRowsBeyondTheGrid(Faithful):
    """With more rows than a grid can count none is processed: all losses are 0."""

    fails = "many-rows-at-once"
    link = "https://github.com/pytorch/pytorch/issues/52716"
    entries = ("IDX-09",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        return losses if len(losses) < END else np.zeros_like(losses)


class ScratchOfTheFirstCall(Faithful):
    """The scratch memory of the gradient has the size of the first call: later rows are wild."""

    fails = "gradient-formula"
    link = "https://github.com/pytorch/pytorch/issues/177116"
    entries = ("IDX-10",)

    def __init__(self) -> None:
        self.size: int | None = None

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        self.size = self.size or len(rows)
        rows[self.size :] *= 1e4
        return rows
