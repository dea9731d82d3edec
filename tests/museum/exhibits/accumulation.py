"""Exhibits that divide by the wrong number when a batch comes in parts."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

MICRO = 2
"""Rows in a micro-batch."""


def micro_batches(b: Batch) -> int:
    return -(-len(b.x) // MICRO)


class MeanOfMicroBatches(Faithful):
    """The mean over micro-batches of their means, whatever they keep."""

    fails = "reductions-agree"
    link = "https://github.com/huggingface/transformers/pull/34191"
    entries = ("ACC-01", "ACC-04", "ACC-05")

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction != "mean" or b.soft:
            return super().reduced(b, losses)
        starts = np.arange(0, len(losses), MICRO)
        weights = np.add.reduceat((b.w * b.q).sum(1), starts)
        return np.asarray((np.add.reduceat(losses, starts) / weights).mean())


class DividedBySteps(Faithful):
    """The mean is divided by the number of micro-batches, too."""

    fails = "reductions-agree"
    link = "https://github.com/huggingface/transformers/issues/35203"
    entries = ("ACC-02",)

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) * micro_batches(b)


class DividedBySentences(Faithful):
    """The mean of spatial logits is divided by N, not by N d1 .. dk."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/OpenNMT/OpenNMT-py/issues/2209"
    entries = ("ACC-03",)

    def divisor(self, b: Batch) -> Any:
        right = super().divisor(b)
        return right if b.logits.ndim < 3 else right * len(b.logits) / len(b.x)


class GradientDividedBySteps(Faithful):
    """The gradient of the mean is divided by the number of micro-batches; the loss is right."""

    fails = "gradient-formula"
    link = "https://github.com/huggingface/transformers/issues/38448"
    entries = ("ACC-02",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        right = super().row_cotangents(b, g)
        return right / micro_batches(b) if b.reduction == "mean" else right


class LocalCounts(Faithful):
    """Each half of the batch divides its gradient by its own count."""

    fails = "gradient-formula"
    link = "https://github.com/NVIDIA/Megatron-LM/issues/7452"
    entries = ("PAR-09",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        if b.reduction != "mean" or b.soft:
            return super().row_cotangents(b, g)
        weights = np.array_split((b.w * b.q).sum(1), 2)
        return np.concatenate([np.full(len(w), g / (2 * w.sum())) for w in weights])
