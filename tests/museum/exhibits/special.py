"""Exhibits that lose NaN, spread it, or answer otherwise than IEEE arithmetic at infinities."""

from __future__ import annotations

import numpy as np
from faithful import Array, Batch, Faithful


class GradientMadeFinite(Faithful):
    """nan_to_num on the gradient: a row with NaN has the gradient 0."""

    fails = "nan-stays-in-its-row"
    entries = ("SYN-18",)
    dtype = "bfloat16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return np.nan_to_num(super().row_gradients(b, k, p, g))


class OneMaximumForTheBatchBackwards(Faithful):
    """The gradient subtracts the maximum of the whole batch: one NaN spoils every row."""

    fails = "nan-stays-in-its-row"
    dtype = "float64"

    def softmax(self, x: Array) -> Array:
        terms = np.exp(x - x.max())
        return terms / self.class_sum(terms)


class MaximumWithoutNan(Faithful):
    """The row's maximum skips NaN, and a row whose maximum is -inf is answered by 0."""

    fails = "nan-is-kept"
    link = "https://github.com/intel/torch-xpu-ops/pull/5022"
    entries = ("SPV-10",)

    def log_softmax(self, x: Array) -> Array:
        top = np.fmax.reduce(x, axis=1, keepdims=True)
        d = np.where(np.isnan(x), -np.inf, x - np.where(np.isneginf(top), 0, top))
        return d - np.log(self.class_sum(np.exp(d)))


class NanWeightsCountAsNothing(Faithful):
    """The sum over the classes skips NaN: a class of weight NaN has the loss 0."""

    fails = "nan-weight-is-kept"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return super().row_losses(b, np.where(np.isnan(b.w), 0, k), log_p)


class NanProbabilitiesCountAsNothing(Faithful):
    """Probabilities are clipped from below by a comparison that NaN fails: it becomes 0."""

    fails = "nan-probability-is-kept"
    dtype = "float16"

    def smoothed(self, b: Batch) -> Array:
        return super().smoothed(b) if not b.soft else np.where(b.q > 0, super().smoothed(b), 0)


class InfiniteTargetWins(Faithful):
    """A target of +inf is certain: the loss is 0."""

    fails = "infinite-target-logit"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        certain = (np.isposinf(b.x) & (k > 0)).any(1)
        return np.where(certain, 0, super().row_losses(b, k, log_p))


class MaskedTargetsAreSkipped(Faithful):
    """A row whose target is masked has no gradient."""

    fails = "masked-target-gradient"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        masked = (np.isneginf(b.x) & (k > 0)).any(1, keepdims=True)
        return np.where(masked, 0, super().row_gradients(b, k, p, g))
