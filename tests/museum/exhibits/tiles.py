"""Exhibits that forget where a tile of classes ends."""

from __future__ import annotations

import numpy as np
from faithful import Array, Batch, Faithful

TILE = 4
"""Classes that are processed together."""


def idle(classes: int) -> int:
    """How many lanes of the last tile have no class."""
    return -classes % TILE


def padded(x: Array, value: float) -> Array:
    """Rows filled up to full tiles."""
    return np.pad(x, ((0, 0), (0, idle(x.shape[1]))), constant_values=value)


class PaddingThroughSoftcap(Faithful):
    """Lanes beyond the last class become -30 in a soft cap, and count in the sum."""

    fails = "shift-invariance"
    link = "https://github.com/unslothai/unsloth/pull/10616"
    entries = ("BLK-02",)

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(padded(x, -30))[:, : x.shape[1]]


class SentinelIsAPaddedColumn(Faithful):
    """A target in another tile is looked for in a lane beyond the last class, which holds -inf."""

    fails = "loss-formula"
    link = "https://github.com/apple/ml-cross-entropy/pull/59"
    entries = ("BLK-03",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        last_tile = b.classes - b.classes % TILE
        elsewhere = b.kept & (k[:, last_tile:] == 0).all(1)
        return np.where(elsewhere, np.inf, losses) if idle(b.classes) else losses


class PaddedWithZeros(Faithful):
    """Infinity is 0 in a format that has none: lanes beyond the last class count as logits 0."""

    fails = "accurate"
    link = "https://github.com/microsoft/onnxruntime/pull/20059"
    entries = ("BLK-04",)
    dtype = "float16"

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(padded(x, 0))[:, : x.shape[1]]


class PairsReadAcrossRows(Faithful):
    """Classes are loaded in pairs: the last of an odd number comes from the next row."""

    fails = "odd-class-counts"
    link = "https://github.com/tensorflow/tensorflow/issues/25977"
    entries = ("BLK-06", "BLK-07")

    def shifted(self, x: Array) -> Array:
        if x.shape[1] % 2:
            x = x.copy()
            x[:-1, -1] = x[1:, 0]
        return super().shifted(x)


class FirstTilesOnly(Faithful):
    """Only the first 256 classes are processed: the rest is NaN."""

    fails = "class-counts-around-tiles"
    link = "https://github.com/PaddlePaddle/Paddle/pull/31491"
    entries = ("BLK-08",)

    def log_softmax(self, x: Array) -> Array:
        return np.where(np.arange(x.shape[1]) < 256, super().log_softmax(x), np.nan)


class TailTileDroppedBackwards(Faithful):
    """The gradient of the classes beyond the last full tile stays 0."""

    fails = "gradient-rows-sum-to-zero"
    link = "https://github.com/tenstorrent/tt-metal/issues/53209"
    entries = ("BLK-10",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        full = np.arange(b.classes) < b.classes - b.classes % TILE
        return np.where(full, super().row_gradients(b, k, p, g), 0)


class MaximumOfTheFirstTile(Faithful):
    """The maximum is that of the first tile: exp overflows where the largest logit lies beyond."""

    fails = "finite-for-finite"

    def shifted(self, x: Array) -> Array:
        return x - x[:, :TILE].max(1, keepdims=True)


class OnlineSumNotRescaled(Faithful):
    """An online softmax forgets to rescale its sum when a tile brings a new maximum."""

    fails = "class-permutation"

    def class_sum(self, terms: Array) -> Array:
        first, rest = terms[:, :TILE], terms[:, TILE:]
        top = first.max(1, keepdims=True)
        return super().class_sum(first / np.where(top > 0, top, 1)) + super().class_sum(rest)


class LastClassOfATile(Faithful):
    """At exact multiples of 128 classes the last one is left out."""

    fails = "class-counts-around-tiles"

    def class_sum(self, terms: Array) -> Array:
        return super().class_sum(terms[:, :-1] if terms.shape[1] % 128 == 0 else terms)
