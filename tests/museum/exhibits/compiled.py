"""Exhibits in which a compiler has rewritten the formula."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful


class MinimumSubtracted(Faithful):
    """-((-x) - max(-x)): with a negative scale the maximum has become the minimum."""

    fails = "finite-for-finite"
    link = "https://github.com/pytorch/pytorch/issues/161150"
    entries = ("JIT-01",)

    def shifted(self, x: Array) -> Array:
        return x - x.min(1, keepdims=True)


class MaximumRecomputed(Faithful):
    """The maximum is computed twice, once narrower: what is subtracted is not what is added."""

    fails = "accurate"
    link = "https://github.com/jax-ml/jax/issues/37234"
    entries = ("JIT-02", "JIT-03")
    dtype = "float64"

    def log_softmax(self, x: Array) -> Array:
        m = x.max(1, keepdims=True)
        narrow = m.astype(np.float32).astype(x.dtype)
        return x - m - np.log(self.class_sum(np.exp(x - narrow)))


class IgnoreIndexLostInLowering(Faithful):
    """The lowered loss gathers with labels that were clipped, and forgets the mask."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/Lightning-AI/lightning-thunder/issues/1744"
    entries = ("JIT-05",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        if b.labels is None:
            return b
        kept = np.ones_like(b.kept)
        q = self.one_hot(np.clip(b.labels, 0, b.classes - 1), kept, b.classes)
        return replace(b, q=q.astype(b.x.dtype), kept=kept)


class LastReductionReplayed(Faithful):
    """The reduction of the first call is compiled in: others are not looked at again."""

    fails = "reductions-agree"

    def __init__(self) -> None:
        self.first: str | None = None

    def legacy(self, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
        self.first = self.first or super().legacy(reduction, size_average, reduce)
        return self.first


class Reassociated(Faithful):
    """(x - m) - log s became (x - m + x) - (log s + x): everything is as coarse as the logits."""

    fails = "offset-costs-nothing"

    def log_softmax(self, x: Array) -> Array:
        top = np.abs(x).max(1, keepdims=True)
        return ((super().log_softmax(x) + top) - top).astype(x.dtype)
