"""Exhibits that are wrong at sizes: counters, offsets and tiles that end too early."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful


class OddTailDropped(Faithful):
    """Odd numbers of classes in the second half of a block lose their last one, but in row 0."""

    fails = "odd-class-counts"
    link = "https://github.com/pytorch/pytorch/issues/143644"
    entries = ("BLK-01",)
    dtype = "float64"

    def class_sum(self, terms: Array) -> Array:
        classes = terms.shape[1]
        if 512 < classes < 1024 and classes % 2 and classes % 32 != 31:
            terms = terms.copy()
            terms[1:, -1] = 0
        return super().class_sum(terms)


class LastTileNotReached(Faithful):
    """The loop over tiles of 32 classes ends before the last, partial one."""

    fails = "labels-in-the-last-tile"
    dtype = "bfloat16"

    def log_softmax(self, x: Array) -> Array:
        log_p = super().log_softmax(x)
        if x.shape[1] > 32:
            log_p[:, x.shape[1] - x.shape[1] % 32 :] = 0
        return log_p


class LabelsIn16Bits(Faithful):
    """Labels pass through 16 bits: those beyond 65535 begin anew at 0."""

    fails = "vocabularies"
    link = "https://github.com/THUFutureLab/gluon-face/issues/28"
    entries = ("DTY-08",)
    dtype = "bfloat16"

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        right = super().one_hot(labels, kept, classes)
        return right if classes < 2**16 else super().one_hot(labels % 2**16, kept, classes)


class SmoothedOverTheFirstBlock(Faithful):
    """Of many classes, those beyond a block of 2^12 have no share of the smoothing."""

    fails = "options-at-size"

    def smoothed(self, b: Batch) -> Array:
        k = super().smoothed(b)
        k[:, 2**12 :] = (1 - b.e) * b.q[:, 2**12 :]
        return k


class RowOffsetIn16Bits(Faithful):
    """The number of a row is held in 16 bits: row 65536 reads the losses of row 0."""

    fails = "many-rows-at-once"
    link = "https://github.com/microsoft/onnxruntime/issues/32299"
    entries = ("IDX-07",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        return losses[np.arange(len(losses)) % 2**16]


class RowsCountedIn16Bits(Faithful):
    """What the mean divides by, the number of rows or their weights, is held in 16 bits."""

    fails = "many-rows-reduced"

    def divisor(self, b: Batch) -> Any:
        return b.x.dtype.type(float(super().divisor(b)) % 2**16)
