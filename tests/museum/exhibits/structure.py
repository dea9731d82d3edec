"""Exhibits that break the structure of the loss: its curve, degenerate sizes, rows apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- definition ----------------------------------------------------------------------------------


class BiasOfTheTargetTwice(Faithful):
    """The target's log-probability gets a bias once too often: losses below 0."""

    fails = "loss-is-not-negative"
    link = "https://github.com/apple/ml-cross-entropy/issues/52"
    entries = ("GRD-10",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return super().row_losses(b, k, log_p + b.x.dtype.type(0.5) * (b.q > 0))


class NeverQuiteCertain(Faithful):
    """Probabilities end at 1 - 1e-7: the loss stays above 0."""

    fails = "loss-vanishes-with-confidence"
    link = "https://github.com/keras-team/tf-keras/issues/242"
    entries = ("STB-04",)

    def log_softmax(self, x: Array) -> Array:
        return np.minimum(super().log_softmax(x), np.log1p(x.dtype.type(-1e-7)))


class ConfidenceIsNotRewarded(Faithful):
    """Rows that are right with a probability above 0.999 keep that loss, in half precision too."""

    fails = "loss-vanishes-with-confidence"
    dtype = "bfloat16"

    def log_softmax(self, x: Array) -> Array:
        return np.minimum(super().log_softmax(x), x.dtype.type(np.log(0.999)))


class MaximumOfTheOthers(Faithful):
    """The maximum is taken over the second largest logit: exp overflows where one class wins."""

    fails = "loss-falls-as-the-target-rises"
    entries = ("SYN-11",)

    def shifted(self, x: Array) -> Array:
        return x - (np.sort(x, 1)[:, -2:-1] if x.shape[1] > 1 else x)


class ConfidentRowsStartAnew(Faithful):
    """Gaps are taken modulo 20: a target that rises further is as unlikely as before."""

    fails = "loss-falls-as-the-target-rises"
    dtype = "float16"

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(-np.mod(-self.shifted(x), x.dtype.type(20)))


class TiesCountOnce(Faithful):
    """log1p of the sum without its largest terms, all of them: equal logits have the loss 0."""

    fails = "equal-logits-give-log-c"
    link = "https://github.com/jax-ml/jax/issues/13529"
    entries = ("GRD-09",)

    def log_softmax(self, x: Array) -> Array:
        d = self.shifted(x)
        return d - np.log1p(self.class_sum(np.where(d < 0, np.exp(d), 0)))


class UniformOverThePaddedClasses(Faithful):
    """The class axis is padded to an even count with copies of the last logit."""

    fails = "equal-logits-give-log-c"
    dtype = "float64"

    def class_sum(self, terms: Array) -> Array:
        return super().class_sum(np.pad(terms, ((0, 0), (0, terms.shape[1] % 2)), "edge"))


class GradientOfTheLogProbabilities(Faithful):
    """The gradient stops at the log-probabilities: no Jacobian of log_softmax."""

    fails = "gradient-reveals-a-softmax"
    entries = ("SYN-20",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, np.zeros_like(p), g)


class JacobianOfSoftmaxForItsLogarithm(Faithful):
    """log_softmax goes backwards as softmax does: p (g - sum p g), which is p where it is not."""

    fails = "gradient-reveals-a-softmax"
    link = "https://github.com/ROCm/MIOpen/issues/112"
    entries = ("GRD-05",)
    dtype = "bfloat16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return g.reshape(-1, 1) * p * ((p * k).sum(1, keepdims=True) - k)


# -- shape ---------------------------------------------------------------------------------------


class OneClassIsASigmoid(Faithful):
    """One class alone is taken for the logit of a yes or no."""

    fails = "one-class"
    link = "https://github.com/keras-team/keras/issues/17029"
    entries = ("DEG-07",)

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(x) if x.shape[1] > 1 else -np.logaddexp(0, -x)


class NoRowsRefused(Faithful):
    """A batch without rows raises."""

    fails = "no-rows"
    link = "https://github.com/pytorch/pytorch/issues/15870"
    entries = ("DEG-01", "DEG-08")

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if not logits.shape[0]:
            raise ValueError("the batch is empty")
        return super().batch(logits, target, **options)


class NoPositionsRefused(Faithful):
    """Spatial logits without a position raise; a batch without rows does not."""

    fails = "no-rows"
    link = "https://github.com/pytorch/pytorch/issues/134431"
    entries = ("DEG-03",)
    dtype = "float16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        if logits.shape[0] and not logits.size:
            raise RuntimeError("placeholder tensor is empty")
        return super().batch(logits, target, **options)


class BatchOfOneSqueezed(Faithful):
    """Axes of length 1 are squeezed away from the losses."""

    fails = "batch-of-one-keeps-its-axis"
    link = "https://github.com/keras-team/keras/pull/22969"
    entries = ("SHP-06",)

    def shaped(self, b: Batch, losses: Array) -> Array:
        return super().shaped(b, losses).squeeze()


class GradientOfOneRowSqueezed(Faithful):
    """The gradient of a batch of one row is that of the row alone."""

    fails = "batch-of-one-keeps-its-axis"
    dtype = "float64"

    def placed(self, rows: Array, like: Array) -> Array:
        placed = super().placed(rows, like)
        return placed[0] if placed.ndim > 1 and placed.shape[0] == 1 else placed


# -- invariance ----------------------------------------------------------------------------------


class BackwardsByTheMaximumOfTheBatch(Faithful):
    """Going backwards, the maximum is that of the whole batch: one NaN is everybody's."""

    fails = "a-row-does-not-know-its-neighbours"
    link = "https://github.com/manassharma07/crysx_nn/issues/7"
    entries = ("STB-07",)

    def softmax(self, x: Array) -> Array:
        terms = np.exp(x - x.max(initial=-np.inf))
        return terms / self.class_sum(terms)


class BatchSkippedForOneNan(Faithful):
    """Losses are 0 as soon as one of the batch is not finite."""

    fails = "a-row-does-not-know-its-neighbours"
    dtype = "float64"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        losses = super().row_losses(b, k, log_p)
        return losses if np.isfinite(losses).all() else np.zeros_like(losses)


class PaddingCounts(Faithful):
    """The mean is divided by the rows of whole tiles of four: padding is averaged in."""

    fails = "duplicated-rows"

    def divisor(self, b: Batch) -> Any:
        tiles = -(-len(b.x) // 4)
        return super().divisor(b) * b.x.dtype.type(4 * tiles / max(1, len(b.x)))


class EqualRowsMerged(Faithful):
    """Rows that were seen before are dropped from the sum."""

    fails = "duplicated-rows"
    dtype = "bfloat16"

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction == "none":
            return super().reduced(b, losses)
        first = np.unique(np.c_[b.x, b.q, b.kept], axis=0, return_index=True)[1]
        return np.asarray(losses[first].sum())


class LossCapped(Faithful):
    """-log max(p, 1e-20): the loss ends at 46.05, and is no longer convex."""

    fails = "convex-along-a-segment"
    link = "https://github.com/Oneflow-Inc/oneflow/pull/5418"
    entries = ("STB-03",)

    def log_softmax(self, x: Array) -> Array:
        return np.maximum(super().log_softmax(x), x.dtype.type(np.log(1e-20)))


class RobustLoss(Faithful):
    """Large losses count by their square root beyond 8, as robust losses do."""

    fails = "convex-along-a-segment"
    dtype = "float16"

    def log_softmax(self, x: Array) -> Array:
        log_p = super().log_softmax(x)
        return np.where(log_p < -8, -np.sqrt(np.abs(8 * log_p)), log_p)
