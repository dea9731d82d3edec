"""Exhibits that split the classes, or the rows, over ranks and put them together wrongly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from faithful import Array, Batch, Faithful

RANKS = 2


def shards(count: int) -> list[slice]:
    """The ranks' parts of so many classes or rows."""
    ends = np.linspace(0, count, RANKS + 1).astype(int).tolist()
    return [slice(start, stop) for start, stop in pairwise(ends)]


class GatheredLogitsCountedTwice(Faithful):
    """Every rank has all logits, and their sums are added: the loss is too large by log 2."""

    fails = "accurate"
    link = "https://github.com/NVIDIA/Megatron-LM/issues/7452"
    entries = ("PAR-02",)

    def class_sum(self, terms: Array) -> Array:
        return super().class_sum(terms) * RANKS


class MaximaOfTheirOwn(Faithful):
    """Each rank subtracts its own maximum, and the sums are added as they are."""

    fails = "accurate"
    dtype = "float64"

    def log_softmax(self, x: Array) -> Array:
        parts = [x[:, part] for part in shards(x.shape[1]) if part.start < part.stop]
        sums = sum(self.class_sum(np.exp(self.shifted(part))) for part in parts)
        return self.shifted(x) - np.log(sums)


class GradientWhereTheTargetIs(Faithful):
    """Only the rank that holds the target has a gradient."""

    fails = "gradient-rows-sum-to-zero"
    link = "https://github.com/modelscope/ms-swift/pull/9947"
    entries = ("PAR-05",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        for part in shards(b.classes):
            rows[:, part] *= (k[:, part] != 0).any(1, keepdims=True)
        return rows


class LastShardPaddedWithZeros(Faithful):
    """Where the ranks do not divide the classes, the last one has one more, whose logit is 0."""

    fails = "accurate"
    link = "https://github.com/NVIDIA/Megatron-LM/issues/1754"
    entries = ("PAR-07",)

    def log_softmax(self, x: Array) -> Array:
        classes = x.shape[1]
        return super().log_softmax(np.pad(x, ((0, 0), (0, classes % RANKS))))[:, :classes]


class LabelsShiftedTwice(Faithful):
    """Each rank shifts the targets of its part of the batch once more."""

    fails = "splitting-the-batch"
    link = "https://github.com/modelscope/ms-swift/pull/10185"
    entries = ("PAR-08",)

    def coefficients(self, b: Batch) -> Array:
        k = super().coefficients(b)
        return np.concatenate([np.roll(k[part], -1, axis=0) for part in shards(len(k))])


class LastRowOfEachShardDropped(Faithful):
    """The last row of each rank's part of the batch does not count."""

    fails = "splitting-the-batch"
    link = "https://github.com/huggingface/transformers/pull/31525"
    entries = ("PAR-10",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        losses[[part.stop - 1 for part in shards(len(losses)) if part.start < part.stop]] = 0
        return losses


class LabelsOfTheFirstShardOnly(Faithful):
    """Labels are not made local: the ranks but the first look for them beyond their classes."""

    fails = "labels-in-the-last-tile"

    def coefficients(self, b: Batch) -> Array:
        k = super().coefficients(b)
        if b.labels is not None and not b.e:
            k[:, shards(b.classes)[-1]] = 0
        return k


class GradientOfTheLocalSum(Faithful):
    """Backwards each rank divides by the sum over its own classes."""

    fails = "gradient-rows-sum-to-zero"
    dtype = "float64"

    def softmax(self, x: Array) -> Array:
        terms = np.exp(self.shifted(x))
        parts = [terms[:, part] for part in shards(x.shape[1]) if part.start < part.stop]
        return np.concatenate([part / self.class_sum(part) for part in parts], axis=1)
