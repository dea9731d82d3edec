"""Exhibits that ignore the wrong rows: the mask is missing, too early, too late or of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- another index -------------------------------------------------------------------------------


class IndexDroppedOverABatchAxis(Faithful):
    """Spatial logits are mapped row by row, and the keyword arguments are lost on the way."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/pytorch/pytorch/issues/105736"
    entries = ("IGN-07",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if logits.ndim > 2:
            options.pop("ignore_index", None)
        return super().batch(logits, target, **options)


class NegativeLabelsAreIgnored(Faithful):
    """Rows with a negative label are ignored, and no others."""

    fails = "any-index-can-be-ignored"
    dtype = "float16"

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return labels >= 0


class IndexInTheDtypeOfTheLabels(Faithful):
    """ignore_index is cast to the dtype of the labels: in uint8 -100 is 156, which is a class."""

    fails = "unsigned-labels"

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return labels != np.array(ignore_index).astype(labels.dtype)


class IndexComparedAsAByte(Faithful):
    """Labels and ignore_index are compared as 8-bit numbers: -100 is 156."""

    fails = "any-index-can-be-ignored"
    entries = ("SYN-08",)

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return labels % 256 != ignore_index % 256


class MaskAfterClipping(Faithful):
    """Labels are clipped to [0, C) before they are compared with ignore_index."""

    fails = "ignored-rows-are-dropped"
    entries = ("SYN-09",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if target.dtype.kind in "iu":
            target = np.clip(target, 0, logits.shape[self.class_axis(logits)] - 1)
        return super().batch(logits, target, **options)


# -- no mask, or half of one ---------------------------------------------------------------------


class WithoutAMask(Faithful):
    """Some rows are to be ignored and are not: their labels wrap around to a class."""

    def unmasked(self, b: Batch) -> bool:
        return True

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        if b.labels is None or not self.unmasked(b):
            return b
        q = np.eye(b.classes, dtype=b.q.dtype)[b.labels % b.classes]
        return replace(b, q=q, kept=np.ones_like(b.kept))


class NoMask(WithoutAMask):
    """ignore_index is not looked at: -1 wraps around to the last class."""

    fails = "ignored-rows-are-dropped-from-the-gradient"
    link = "https://github.com/deepspeedai/DeepSpeedExamples/issues/66"
    entries = ("IGN-19",)


class NoMaskForNegativeIndices(WithoutAMask):
    """Rows are ignored only where ignore_index is a class or beyond."""

    fails = "any-index-can-be-ignored"
    link = "https://github.com/PaddlePaddle/Paddle/pull/52835"
    entries = ("IGN-12",)
    dtype = "bfloat16"

    def unmasked(self, b: Batch) -> bool:
        return b.ignore_index < 0


class TheDefaultIgnoresNothing(WithoutAMask):
    """ignore_index = -100 is read as: nothing is ignored."""

    fails = "defaults"
    link = "https://github.com/flagos-ai/FlagGems/pull/73"
    entries = ("IGN-14",)

    def unmasked(self, b: Batch) -> bool:
        return b.ignore_index == -100


class NoMaskWithoutWeights(WithoutAMask):
    """One of two backends, the one without weights, does not know ignore_index."""

    fails = "ignored-rows-are-exactly-zero"
    link = "https://github.com/PaddlePaddle/Paddle/issues/17961"
    entries = ("IGN-11",)

    def unmasked(self, b: Batch) -> bool:
        return not b.weighted


class OnlyTheFirstIgnored(Faithful):
    """Padding is taken to be at the end: all rows after the first ignored one are dropped."""

    fails = "ignored-rows-are-dropped"
    dtype = "float16"

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return np.logical_and.accumulate(super().kept(labels, ignore_index))


# -- the mask comes too late ---------------------------------------------------------------------


class GatheredBeforeTheMask(Faithful):
    """log p is gathered at the labels as they are, then masked: an ignored label is no place."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/Lightning-AI/lightning-thunder/issues/1744"
    entries = ("IGN-06", "IGN-08")

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        return np.eye(classes, dtype=bool)[labels] & kept[:, None]


class CheckedBeforeTheMask(Faithful):
    """Labels are checked against [0, C) before the ignored ones are set apart."""

    fails = "any-index-can-be-ignored"
    link = "https://github.com/PaddlePaddle/Paddle/pull/31201"
    entries = ("IGN-10",)
    dtype = "float64"

    def one_hot(self, labels: Array, kept: Array, classes: int) -> Array:
        return super().one_hot(labels, np.ones_like(kept), classes) & kept[:, None]


class NoneChecksEveryLabel(Faithful):
    """reduction="none" checks ignored labels too; the other reductions do not."""

    fails = "reductions-agree"
    link = "https://github.com/pytorch/pytorch/issues/15508"
    entries = ("IGN-13",)

    def shaped(self, b: Batch, losses: Array) -> Array:
        if b.labels is not None:
            self.one_hot(b.labels, np.ones_like(b.kept), b.classes)
        return super().shaped(b, losses)


class NanTimesTheMask(Faithful):
    """A label outside [0, C) makes its row NaN, and the mask is a product: NaN x 0."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/keras-team/tf-keras/issues/734"
    entries = ("IGN-16",)
    dtype = "bfloat16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        if b.labels is None:
            return losses
        inside = (b.labels >= 0) & (b.labels < b.classes)
        return np.where(inside, losses, np.nan) * b.kept


class IgnoredClassOfProbabilities(Faithful):
    """The class that ignore_index names is taken out of probabilities, too."""

    fails = "probabilities-are-not-ignored"
    dtype = "float64"
    spares = ("probabilities-formula",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        q = b.q * (np.arange(b.classes) != b.ignore_index) if b.soft else b.q
        return replace(b, q=q)
