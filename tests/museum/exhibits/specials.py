"""Exhibits that infinities, NaN and masks lead astray."""

from __future__ import annotations

import numpy as np
from faithful import Array, Batch, Faithful

LANES = 4
"""Rows narrower than this leave lanes of the block without a class."""


class EmptyLanesMerged(Faithful):
    """A lane without a class is merged by exp(-inf - -inf): NaN in rows narrower than the block."""

    fails = "finite-for-finite"
    link = "https://github.com/gabrieldemarmiesse/torch-mojo-backend/pull/319"
    entries = ("SPV-05", "BLK-09")

    def class_sum(self, terms: Array) -> Array:
        sums = super().class_sum(terms)
        return sums if terms.shape[1] >= LANES else sums * np.nan


class MaskedBlocksMerged(Faithful):
    """Maximum and sum run over blocks of classes: one that is all -inf subtracts -inf from -inf.

    Liger Kernel, flash-attention and fla do so with blocks of 2^15, 2^14 and 2^16 classes.
    """

    fails = "masked-tiles"
    block = 1024

    def shifted(self, x: Array) -> Array:
        first = x[:, : self.block]
        unseen = np.isneginf(first).all(1, keepdims=True) & (x.shape[1] > self.block)
        return np.where(unseen, np.nan, super().shifted(x))


class WideMaskedBlocksMerged(MaskedBlocksMerged):
    """The same, with blocks of 2^15 classes."""

    dtype = "bfloat16"
    block = 2**15


class NarrowMaskedRowsAreZero(Faithful):
    """A row of -inf has the loss 0 where it is narrow, and NaN where it is not."""

    fails = "all-classes-masked"
    link = "https://github.com/ml-explore/mlx/issues/1467"
    entries = ("SPV-06",)

    def log_softmax(self, x: Array) -> Array:
        nothing = np.isneginf(x).all(1, keepdims=True) & (x.shape[1] < LANES)
        return np.where(nothing, 0, super().log_softmax(x))


class MaskedRowsAreUniform(Faithful):
    """A row of -inf is taken for a row of equal logits: its loss is log C."""

    fails = "all-classes-masked"
    link = "https://github.com/allenai/allennlp/issues/890"
    entries = ("SPV-12",)

    def shifted(self, x: Array) -> Array:
        return super().shifted(np.where(np.isneginf(x).all(1, keepdims=True), 0, x))


class InfinityTakesAll(Faithful):
    """A logit of +inf is the largest number: its class has the probability 1."""

    fails = "infinite-logit"
    link = "https://github.com/ml-explore/mlx/issues/576"
    entries = ("SPV-07",)

    def shifted(self, x: Array) -> Array:
        return super().shifted(np.minimum(x, np.finfo(x.dtype).max))


class MaximumOfTheKeptRows(Faithful):
    """The gradient takes the maximum over the rows that are kept: exp overflows in the others."""

    fails = "garbage-in-ignored-rows-is-harmless"
    link = "https://github.com/jax-ml/jax/issues/17117"
    entries = ("SPV-03",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        top = b.x.max(1, keepdims=True, where=b.kept[:, None], initial=-np.inf)
        top = np.where(b.kept[:, None], top, top.max(initial=-np.inf))
        terms = np.exp(b.x - top)
        p = terms / self.class_sum(terms)
        return g.reshape(-1, 1) * (p * k.sum(1, keepdims=True) - k)


class GradientThroughTheMask(Faithful):
    """The gradient is multiplied by the mask that made the logits -inf: inf x 0 is NaN."""

    fails = "masked-classes"
    link = "https://github.com/tensorflow/tensorflow/issues/11756"
    entries = ("SPV-14",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, p, g) * np.where(np.isneginf(b.x), np.inf, 1)


class TangentThroughTheMask(Faithful):
    """Forward mode sums k d log p over all classes: 0 x -inf is NaN at a masked one."""

    fails = "masked-classes-in-forward-mode"
    link = "https://github.com/google-deepmind/optax/pull/1762"
    entries = ("SPV-02",)

    def row_derivatives(self, b: Batch, k: Array, p: Array, v: Array) -> Array:
        return super().row_derivatives(b, k, p, v) + (0 * self.log_softmax(b.x)).sum(1)


class NanBecomesZeroInside(Faithful):
    """Arguments of exp are made finite: a row of NaN gets a finite loss."""

    fails = "nan-is-kept"
    link = "https://github.com/tenstorrent/tt-metal/issues/56056"
    entries = ("SPV-09",)
    dtype = "float64"

    def shifted(self, x: Array) -> Array:
        return np.nan_to_num(super().shifted(np.nan_to_num(x)))
