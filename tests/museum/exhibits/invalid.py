"""Exhibits that answer where there is no answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful


class CheckedWhenReduced(Faithful):
    """Labels are checked by the sum and the mean only: reduction="none" reads beyond the row."""

    fails = "out-of-range-target"
    link = "https://github.com/pytorch/pytorch/issues/5296"
    entries = ("INV-01",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if options.get("reduction") == "none" and target.dtype.kind in "iu":
            classes = logits.shape[self.class_axis(logits)]
            ignored = target == options.get("ignore_index", -100)
            target = np.where(ignored, target, target % classes)
        return super().batch(logits, target, **options)


class ChecksVanishWhenCompiled(Faithful):
    """The first call checks its labels; later ones are compiled and give NaN."""

    fails = "out-of-range-target-answer"
    link = "https://github.com/tensorflow/tensorflow/issues/126005"
    entries = ("INV-03", "JIT-04")

    def __init__(self) -> None:
        self.calls = 0

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        self.calls += 1
        if self.calls == 1:
            return super().one_hot(labels, kept, classes)
        inside = (labels >= 0) & (labels < classes)
        rows = super().one_hot(np.where(inside, labels, 0), kept, classes)
        return np.where((kept & ~inside)[:, None], np.nan, rows)


class NegativeLabelsCountFromTheEnd(Faithful):
    """Label -1 is the last class, as in Python; what lies farther out is NaN."""

    fails = "out-of-range-target"
    link = "https://github.com/google-deepmind/optax/issues/1185"
    entries = ("INV-05",)

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        wrapped = np.where(labels < 0, labels + classes, labels)
        inside = (wrapped >= 0) & (wrapped < classes)
        rows = super().one_hot(np.where(inside, wrapped, 0), kept, classes)
        return np.where((kept & ~inside)[:, None], np.nan, rows)


class NegativeLabelsAreFree(Faithful):
    """A negative label has the loss 0, whatever ignore_index is."""

    fails = "out-of-range-target"
    link = "https://github.com/PaddlePaddle/Paddle/pull/36891"
    entries = ("INV-09",)

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        kept &= labels >= 0
        return super().one_hot(labels, kept, classes)


class IgnoreIndexCountsFromOne(Faithful):
    """Labels count from 0 and ignore_index from 1."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/mlverse/torch/issues/1145"
    entries = ("INV-11",)

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return super().kept(labels + 1, ignore_index)
