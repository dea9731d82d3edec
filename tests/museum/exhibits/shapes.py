"""Exhibits that are wrong about shapes: which axis has the classes, and what a size of 1 means."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- the class axis ------------------------------------------------------------------------------


class NormalisedElsewhere(Faithful):
    """Log-probabilities are normalised along another axis than they are gathered from."""

    def axis(self, b: Batch) -> int:
        return self.class_axis(b.logits)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        x, axis = self.widened(b.logits), self.axis(b)
        d = x - x.max(axis, keepdims=True)
        log_p = self.rows(d - np.log(np.exp(d).sum(axis, keepdims=True)))
        return super().row_losses(b, k, log_p)


class FirstAxisInThreeDimensions(NormalisedElsewhere):
    """Logits of three dimensions are normalised over their batch axis."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/pytorch/pytorch/pull/687"
    entries = ("SHP-01",)

    def axis(self, b: Batch) -> int:
        return 0 if b.logits.ndim == 3 else super().axis(b)


class LastAxisNormalised(NormalisedElsewhere):
    """The axis is not passed on to log_softmax, which takes the last."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/PaddlePaddle/Paddle/pull/27311"
    entries = ("SHP-02",)
    dtype = "float16"

    def axis(self, b: Batch) -> int:
        return -1


class TrailingOnesSqueezed(NormalisedElsewhere):
    """Where all axes after the classes have size 1, the last of them is normalised."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/jax-ml/jax/issues/20856"
    entries = ("SHP-03",)

    def axis(self, b: Batch) -> int:
        return -1 if set(b.logits.shape[2:]) == {1} else super().axis(b)


class WrongSplitBesideAOne(Faithful):
    """An axis of size 1 is collapsed with the classes: rows are read as they lie in memory."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/FluxML/Flux.jl/issues/1425"
    entries = ("SHP-04",)
    dtype = "float64"

    def rows(self, array: Array) -> Array:
        if array.ndim > 2 and 1 in array.shape[2:]:
            return array.reshape(-1, array.shape[1])
        return super().rows(array)


class GradientNotMovedBack(Faithful):
    """The gradient's class axis stays last in memory."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/pytorch/pytorch/pull/802"
    entries = ("SHP-11",)
    dtype = "bfloat16"

    def placed(self, rows: Array, like: Array) -> Array:
        return rows.reshape(like.shape).astype(like.dtype)


class LabelsInColumns(Faithful):
    """Targets of two spatial axes are read column by column."""

    fails = "spatial-equals-flattened"

    def batch(self, logits: Array, target: Array, **options: object) -> Batch:
        if logits.ndim == 4:
            target = np.swapaxes(target, -1, -2).reshape(target.shape)
        return super().batch(logits, target, **options)


class OneRowAloneIsAColumn(Faithful):
    """One row alone, (C,), is taken for C rows of one class."""

    fails = "unbatched-equals-batch-of-one"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return super().row_losses(b, k, log_p if b.logits.ndim > 1 else 0 * log_p)


class OneDistributionBackwards(Faithful):
    """The gradient sums the coefficients over the whole batch, not over each row."""

    fails = "gradient-rows-sum-to-zero"
    link = "https://github.com/apache/singa/issues/578"
    entries = ("SHP-10",)
    dtype = "float64"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return np.where(b.kept[:, None], g.reshape(-1, 1) * (p * k.sum() - k), 0)


# -- the shape of the result ---------------------------------------------------------------------


class GatheredAlongAnotherAxis(Faithful):
    """Labels get their new axis last and are gathered along axis 1: broadcast garbage."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/ml-explore/mlx"
    entries = ("SHP-05",)

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.labels is not None and b.logits.ndim > 2:
            log_p = self.placed(self.log_softmax(b.x), b.logits)
            labels = self.shaped(b, np.where(b.kept, b.labels, 0))
            losses = -np.take_along_axis(log_p, labels[..., None], 1).squeeze(-1)
            return losses if b.reduction == "none" else getattr(losses, b.reduction)()
        return super().reduced(b, losses)


class LastOneSqueezed(Faithful):
    """The last axis is squeezed where its size is 1, whatever it stands for."""

    fails = "result-shape"
    link = "https://github.com/keras-team/keras/pull/22969"
    entries = ("SHP-06",)
    dtype = "float64"

    def shaped(self, b: Batch, losses: Array) -> Array:
        right = super().shaped(b, losses)
        return right[..., 0] if right.ndim > 1 and right.shape[-1] == 1 else right


class MaskBroadcast(Faithful):
    """The mask keeps a trailing axis of 1 that the losses lost: every row meets every mask."""

    fails = "spatial-equals-flattened"
    link = "https://github.com/keras-team/keras/pull/19838"
    entries = ("SHP-07",)

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction != "none" and b.logits.ndim > 2 and b.logits.shape[-1] == 1:
            losses = b.kept[:, None] * losses
        return super().reduced(b, losses)


class ProductsNotSummed(Faithful):
    """reduction="none" of probabilities gives the N x C products."""

    fails = "result-shape"
    link = "https://github.com/pytorch/pytorch/issues/79531"
    entries = ("SHP-09",)
    dtype = "bfloat16"

    def shaped(self, b: Batch, losses: Array) -> Array:
        if not b.soft:
            return super().shaped(b, losses)
        return self.placed(-self.coefficients(b) * self.log_softmax(b.x), b.logits)


class SumKeepsAnAxis(Faithful):
    """The sum has the shape (1,)."""

    fails = "result-shape"

    def reduced(self, b: Batch, losses: Array) -> Array:
        right = super().reduced(b, losses)
        return right.reshape(1) if b.reduction == "sum" else right


class VolumesInAnotherOrder(Faithful):
    """The labels of volumes are flattened with the first two axes of positions exchanged."""

    fails = "volumes"
    spares = ("spatial-equals-flattened",)

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if target.dtype.kind in "iu" and target.ndim == 4:
            target = target.swapaxes(1, 2).reshape(target.shape)
        return super().batch(logits, target, **options)


class GradientOfVolumesInAnotherOrder(Faithful):
    """The gradient of volumes is moved back with the first two axes of positions exchanged."""

    fails = "volumes-of-the-gradient"
    spares = ("spatial-equals-flattened", "volumes")

    def placed(self, rows: Array, like: Array) -> Array:
        right = super().placed(rows, like)
        return right.swapaxes(2, 3).reshape(like.shape) if like.ndim == 5 else right
