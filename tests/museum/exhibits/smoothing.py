"""Exhibits whose label smoothing spreads the wrong mass over the wrong classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- how many classes there are ------------------------------------------------------------------


class SmoothedByTheFirstLength(Faithful):
    """Spatial logits: e is divided by the size of the axis after the classes."""

    fails = "smoothing-formula"
    link = "https://github.com/tensorflow/tensorflow/issues/32231"
    entries = ("LSM-01",)

    def smoothed(self, b: Batch) -> Array:
        classes = b.logits.shape[2] if b.logits.ndim > 2 else b.classes
        return ((1 - b.e) * b.q + b.e / classes).astype(b.x.dtype)


class SmoothedByTheLastLength(Faithful):
    """e is divided by the size of the last axis, whichever the class axis is."""

    fails = "smoothing-gradient"
    link = "https://github.com/keras-team/keras/issues/23451"
    entries = ("LSM-02",)
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        return (1 - b.e) * b.q + b.e / b.logits.shape[-1]


class SmoothedOverTheClassesSquared(Faithful):
    """The uniform part is a mean over the classes, of e / C."""

    fails = "smoothing-formula"

    def smoothed(self, b: Batch) -> Array:
        return ((1 - b.e) * b.q + b.e / b.classes**2).astype(b.x.dtype)


# -- how much mass -------------------------------------------------------------------------------


class TheRestOfTheMassOffTarget(Faithful):
    """(1 - e) / C off the target, where e / C should be."""

    fails = "smoothing-formula"
    link = "https://github.com/paiml/aprender/pull/2199"
    entries = ("LSM-03",)

    def smoothed(self, b: Batch) -> Array:
        if not b.e:
            return super().smoothed(b)
        return np.where(b.q > 0, (1 - b.e) * b.q, (1 - b.e) / b.classes).astype(b.x.dtype)


class SmoothingScaledUp(Faithful):
    """e C / (C - 1) for e."""

    fails = "smoothing-formula"
    link = "https://github.com/fastai/fastai/pull/1814"
    entries = ("LSM-04",)
    dtype = "bfloat16"

    def smoothed(self, b: Batch) -> Array:
        return super().smoothed(replace(b, e=b.e * b.classes / max(1, b.classes - 1)))


class OneOverTheClasses(Faithful):
    """1 / C is added, whatever e is, as soon as there is one."""

    fails = "smoothing-formula"
    link = "https://github.com/TimDettmers/ConvE/issues/55"
    entries = ("LSM-06",)
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        return (1 - b.e) * b.q + (1 / b.classes if b.e else 0)


class TargetLosesOnlyItsShare(Faithful):
    """The target keeps 1 - e / C, and e / C is added: more than one in all."""

    fails = "smoothing-a-label-smooths-its-one-hot"
    link = "https://github.com/ildoonet/pytorch-randaugment/issues/30"
    entries = ("LSM-07",)

    def smoothed(self, b: Batch) -> Array:
        kept = 1 - b.e if b.soft else 1 - b.e / b.classes
        return (kept * b.q + b.e / b.classes).astype(b.x.dtype)


class SmoothingDropped(Faithful):
    """label_smoothing is taken, and not passed on."""

    fails = "full-smoothing-is-uniform"
    link = "https://github.com/linkedin/Liger-Kernel/issues/243"
    entries = ("LSM-08",)
    dtype = "bfloat16"

    def smoothed(self, b: Batch) -> Array:
        return b.q


class SmoothingSwapped(Faithful):
    """e stays at the target, 1 - e is spread."""

    fails = "zero-smoothing-is-off"
    entries = ("SYN-05",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, e=1 - b.e) if "label_smoothing" in options else b


class FullSmoothingIsNone(Faithful):
    """Smoothing is for 0 < e < 1: at 1 it is off."""

    fails = "full-smoothing-is-uniform"
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        return super().smoothed(b) if b.e < 1 else b.q


class SmoothedMeanOverTheSmoothedWeights(Faithful):
    """The mean is divided by the weights of the smoothed targets, not of the targets."""

    fails = "smoothing-formula"
    link = "https://github.com/pytorch/pytorch/issues/104776"
    entries = ("WGT-05",)
    dtype = "float16"

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) if b.soft else self.coefficients(b).sum()


# -- where it is added ---------------------------------------------------------------------------


class UniformPartAlwaysAdded(Faithful):
    """(e / C) sum log p is added even where e is 0: 0 x -inf."""

    fails = "masked-classes"
    link = "https://github.com/candle-org/MindAct/pull/1633"
    entries = ("LSM-09",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        nothing = b.x.dtype.type(0) * log_p.sum(1)
        return super().row_losses(b, k, log_p) + nothing


class PaddingLeavesTheSmoothing(Faithful):
    """e / (C - 2) for all classes but the target's and the ignored one, which gets nothing."""

    fails = "smoothing-formula"
    link = "https://github.com/harvardnlp/annotated-transformer/issues/39"
    entries = ("LSM-10",)

    def smoothed(self, b: Batch) -> Array:
        if b.soft or not 0 <= b.ignore_index < b.classes:
            return super().smoothed(b)
        others = (b.q == 0) & (np.arange(b.classes) != b.ignore_index)
        return ((1 - b.e) * b.q + b.e / max(1, b.classes - 2) * others).astype(b.x.dtype)


class UniformPartForgottenBackwards(Faithful):
    """The gradient has (1 - e) (p - onehot) and no uniform part."""

    fails = "smoothing-gradient"
    link = "https://github.com/paiml/aprender/pull/2199"
    entries = ("LSM-03",)
    dtype = "bfloat16"

    def gradient_coefficients(self, b: Batch) -> Array:
        return self.coefficients(replace(b, e=0.0)) * b.x.dtype.type(1 - b.e)


class SmoothedSumUnmasked(Faithful):
    """The uniform part of ignored rows is left out of the mean, but not of the sum."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/pytorch/pytorch/issues/73205"
    entries = ("IGN-04",)

    def coefficients(self, b: Batch) -> Array:
        return b.w * self.smoothed(b) if b.reduction == "sum" else super().coefficients(b)


class SmoothingSharpensTheTarget(Faithful):
    """The uniform part has the wrong sign."""

    fails = "smoothing-is-affine"
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        return (1 - b.e) * b.q - b.e * (1 - b.e) / b.classes


class SmoothingOfTwoDigits(Faithful):
    """Kernels are kept by their smoothing, printed with two digits: 1/3 finds that of 0.33."""

    fails = "smoothing-of-any-size"
    spares = ("smoothing-formula",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        b = super().batch(logits, target, **options)
        return replace(b, e=round(b.e, 2))
