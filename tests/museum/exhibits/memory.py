"""Exhibits that take memory for something else: buffers shared, kept, overrun, strides assumed."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

from exhibits.calls import base_of

# -- buffers -------------------------------------------------------------------------------------


class GradientOverTheSavedSoftmax(Faithful):
    """The gradient overwrites the softmax that is kept for it: the second one is wrong."""

    fails = "linear-in-the-cotangent"
    link = "https://github.com/unslothai/unsloth/issues/5002"
    entries = ("MEM-05",)

    def __init__(self) -> None:
        self.saved: dict[bytes, Array] = {}

    def softmax(self, x: Array) -> Array:
        if x.tobytes() not in self.saved:
            self.saved = {x.tobytes(): super().softmax(x)}
        return self.saved[x.tobytes()]

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        p[...] = super().row_gradients(b, k, p, g)
        return p


class LossAndZLossShareABuffer(Faithful):
    """The z loss, 0, is written after the loss, to the same memory."""

    fails = "loss-formula"
    link = "https://github.com/linkedin/Liger-Kernel/issues/507"
    entries = ("MEM-06",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        buffer = super().row_losses(b, k, log_p)
        buffer[...] = 0
        return buffer


class LogSumExpKeptByShape(Faithful):
    """The log-sum-exp of the last call is taken again where the shape is the same."""

    fails = "loss-formula"

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.sums = np.zeros(())

    def class_sum(self, terms: Array) -> Array:
        if terms.shape != self.shape:
            self.shape, self.sums = terms.shape, super().class_sum(terms)
        return self.sums


class SumsWithoutZeroing(Faithful):
    """The buffer of the losses of many rows is not zeroed: it still holds those of last time."""

    fails = "repeatable"

    def __init__(self) -> None:
        self.buffer = np.zeros(0)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        right = super().row_losses(b, k, log_p)
        if right.shape != self.buffer.shape:
            self.buffer = np.zeros_like(right)
        self.buffer = self.buffer + right
        return self.buffer


class ResultsShareOneBuffer(Faithful):
    """All results are views of one buffer: the next call changes the last answer."""

    fails = "results-do-not-share-memory"

    def __init__(self) -> None:
        self.buffer = np.zeros(2**12)

    def finished(self, b: Batch, result: Array) -> Array:
        right = super().finished(b, result)
        if right.size > self.buffer.size:
            return right
        self.buffer = self.buffer.astype(right.dtype, copy=False)
        view = self.buffer[: right.size].reshape(right.shape)
        view[...] = right
        return view


class LargeGradientsInOneBuffer(Faithful):
    """A gradient of 2,048 numbers or more is written where the last one of its shape is."""

    fails = "large-results-do-not-share-memory"

    def __init__(self) -> None:
        self.buffers: dict[Any, Array] = {}

    def placed(self, rows: Array, like: Array) -> Array:
        right = super().placed(rows, like)
        if right.size < 2048:
            return right
        buffer = self.buffers.setdefault((right.shape, right.dtype), right)
        buffer[...] = right
        return buffer


class LargeLogitsShiftedInPlace(Faithful):
    """Of 4,096 logits or more no copy is made: their maximum is subtracted where they are."""

    fails = "large-inputs-are-not-modified"

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        right = super().loss(logits, target, **options)
        if logits.size >= 4096 and logits.flags.writeable:
            logits -= logits.max()
        return right


class LastTileOfRowsAlwaysFull(Faithful):
    """Rows are summed in tiles of eight: the last one is filled up with what lies in memory."""

    fails = "reductions-agree"
    link = "https://github.com/tenstorrent/tt-metal/issues/53209"
    entries = ("MEM-09",)

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction == "none":
            return super().reduced(b, losses)
        return super().reduced(b, np.resize(losses, -(-len(losses) // 8) * 8))


# -- strides -------------------------------------------------------------------------------------


class ClassStrideAssumed(Faithful):
    """The classes of a row are taken to lie one after another: a slice is read with its gaps."""

    fails = "memory-layout"
    link = "https://github.com/ml-explore/mlx/issues/657"
    entries = ("MEM-07",)

    def rows(self, array: Array) -> Array:
        if array.ndim < 2 or array.flags.c_contiguous or min(array.strides) <= 0:
            return super().rows(array)
        classes_last = np.moveaxis(array, 1, -1)
        strides = (*classes_last.strides[:-1], array.itemsize)
        read = np.lib.stride_tricks.as_strided(classes_last, strides=strides)
        return read.reshape(-1, array.shape[1])


class GradientWrittenContiguously(Faithful):
    """The gradient has the strides of the logits, but is filled in the order of addresses."""

    fails = "memory-layout-of-the-gradient"
    link = "https://github.com/pytorch/pytorch/issues/75923"
    entries = ("MEM-08",)

    def placed(self, rows: Array, like: Array) -> Array:
        gradient = np.empty_like(like)
        gradient.ravel("K")[...] = super().placed(rows, like).reshape(-1)
        return gradient


class CotangentStrideAssumed(Faithful):
    """The cotangent is read from memory one element after another, whatever its stride."""

    fails = "memory-layout-of-the-gradient"
    link = "https://github.com/torch/nn/pull/834"
    entries = ("MEM-10",)

    def vjp(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        read = np.resize(base_of(cotangent), cotangent.shape)
        return super().vjp(read, logits, target, **options)
