"""Exhibits whose softmax is unstable: clipped, not shifted, or shifted by the wrong maximum."""

from __future__ import annotations

import numpy as np
from faithful import Array, Batch, Faithful

# -- probabilities first, their logarithm after --------------------------------------------------


class SaturatedRowsHaveNoGradient(Faithful):
    """The gradient goes through max(p, 1e-20): rows below it have the gradient 0."""

    fails = "gradient-formula"
    link = "https://github.com/Oneflow-Inc/oneflow/pull/5418"
    entries = ("STB-03",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        saturated = (p * b.q).sum(1, keepdims=True) < 1e-20
        return np.where(saturated, 0, super().row_gradients(b, k, p, g))


class ProbabilitiesClippedAtBothEnds(Faithful):
    """Probabilities are clipped to [1e-7, 1 - 1e-7] before their logarithm."""

    fails = "accurate"
    link = "https://github.com/keras-team/tf-keras/issues/242"
    entries = ("STB-04",)
    dtype = "float64"

    def log_softmax(self, x: Array) -> Array:
        return np.log(np.clip(self.softmax(x), 1e-7, 1 - 1e-7))


class SumOfRatiosBackwards(Faithful):
    """The gradient has sum (p k / p) for sum k: 0 / 0 where p underflows."""

    fails = "finite-for-finite"
    link = "https://github.com/clab/dynet/issues/218"
    entries = ("STB-06",)
    dtype = "float64"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return g.reshape(-1, 1) * (p * (p * k / p).sum(1, keepdims=True) - k)


class SmoothingTakesTheLogarithmLast(Faithful):
    """With label smoothing alone, log p is the logarithm of the softmax: -inf on finite logits."""

    fails = "smoothing-formula"
    link = "https://github.com/NVIDIA/Megatron-LM/pull/5522"
    entries = ("STB-08",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return super().row_losses(b, k, np.log(self.softmax(b.x)) if b.e else log_p)


class EpsilonLostInFloat16(Faithful):
    """Probabilities are clipped at 1e-15 in float16, where 1e-15 is 0: 0 log 0 is NaN."""

    fails = "finite-for-finite"
    link = "https://github.com/scikit-learn/scikit-learn/issues/24315"
    entries = ("STB-10",)
    dtype = "float16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        p = np.clip(self.softmax(b.x).astype(np.float16), np.float16(1e-15), 1)
        return (-k * np.log(p)).sum(1)


class SmallProbabilitiesFlushed(Faithful):
    """Probabilities below 1e-4 are flushed to 0 before their logarithm."""

    fails = "finite-for-finite"
    link = "https://github.com/tensorflow/tfjs-core/pull/1133"
    entries = ("STB-11",)

    def log_softmax(self, x: Array) -> Array:
        p = self.softmax(x)
        return np.log(np.where(p < 1e-4, 0, p))


class LogarithmOfALittleMore(Faithful):
    """log(p + 1e-8): no loss beyond 18.4."""

    fails = "accurate"
    entries = ("SYN-02",)
    dtype = "float64"

    def log_softmax(self, x: Array) -> Array:
        return np.log(self.softmax(x) + 1e-8)


class SoftmaxTwice(Faithful):
    """The softmax of the softmax: the caller's probabilities are taken for logits."""

    fails = "loss-formula"
    entries = ("SYN-04",)
    dtype = "float16"

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(self.softmax(x))


class PowersOfTwo(Faithful):
    """exp2 of the logits, which nobody multiplied by log2 e."""

    fails = "worked-example"
    entries = ("SYN-01",)
    dtype = "float64"

    def log_softmax(self, x: Array) -> Array:
        d = self.shifted(x)
        return d - np.log(self.class_sum(np.exp2(d)))


# -- the maximum ---------------------------------------------------------------------------------


class OverflowBecomesZero(Faithful):
    """No maximum is subtracted, and the row that overflows gets probabilities of 0."""

    fails = "shift-invariance"
    link = "https://github.com/tenstorrent/tt-metal/issues/52131"
    entries = ("STB-09",)

    def log_softmax(self, x: Array) -> Array:
        terms = np.exp(x)
        return np.log(np.nan_to_num(terms / self.class_sum(terms), nan=0.0))


class SumAboutTheFirstMaximum(Faithful):
    """Terms are added in float16 relative to the maximum of the first two classes."""

    fails = "finite-for-finite"
    link = "https://github.com/pytorch/pytorch/pull/187053"
    entries = ("STB-12",)
    dtype = "float16"

    def log_softmax(self, x: Array) -> Array:
        d = (x - x[:, :2].max(1, keepdims=True)).astype(np.float16)
        return d - np.log(self.class_sum(np.exp(d)))


class MaximumOfTheFirstRow(Faithful):
    """The maximum of the first row is subtracted from all rows."""

    fails = "splitting-the-batch"
    link = "https://github.com/manassharma07/crysx_nn/issues/7"
    entries = ("STB-07",)
    dtype = "float64"

    def shifted(self, x: Array) -> Array:
        return x - x[0].max()


class MaximumWithoutTheTarget(Faithful):
    """The maximum is taken over the classes other than the target's."""

    fails = "finite-for-finite"
    entries = ("SYN-11",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        m = np.where(b.q > 0, -np.inf, b.x).max(1, keepdims=True)
        return super().row_losses(b, k, b.x - m - np.log(self.class_sum(np.exp(b.x - m))))


class MaximumNotAddedBack(Faithful):
    """log p is x - log s, where s is relative to a maximum that x is not."""

    fails = "shift-invariance"
    dtype = "bfloat16"

    def log_softmax(self, x: Array) -> Array:
        return x - np.log(self.class_sum(np.exp(self.shifted(x))))


class LogitsClipped(Faithful):
    """Logits are kept within [-50, 50], where exp is safe without a maximum."""

    fails = "accurate"

    def shifted(self, x: Array) -> Array:
        return np.clip(x, -50, 50)


# -- backwards -----------------------------------------------------------------------------------


class SumWithoutTheJacobian(Faithful):
    """The gradient of a sum is that by the log-probabilities: no softmax is subtracted."""

    fails = "gradient-rows-sum-to-zero"
    entries = ("SYN-20",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, 0 * p if b.reduction == "sum" else p, g)
