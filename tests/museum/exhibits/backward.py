"""Exhibits whose loss is right and whose gradient is not."""

from __future__ import annotations

import numpy as np
from faithful import Array, Batch, Faithful


class OnlyCotangentsOfOne(Faithful):
    """A cotangent that is not all ones is read from the wrong place, where zeros are."""

    fails = "linear-in-the-cotangent"
    link = "https://github.com/NVIDIA/TransformerEngine/pull/2139"
    entries = ("GRD-02",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        return super().row_cotangents(b, g if (g == 1).all() else np.zeros_like(g))


class NoGradientForNone(Faithful):
    """reduction="none" has a gradient of zeros."""

    fails = "gradient-formula"
    link = "https://github.com/microsoft/DirectML/issues/739"
    entries = ("GRD-04",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        return np.zeros_like(rows) if b.reduction == "none" else rows


class LogSoftmaxBackwardsAsSoftmax(Faithful):
    """The stage log_softmax has the gradient of softmax: p (g - sum p g)."""

    fails = "log-softmax-nll-equals-fused-gradient"
    link = "https://github.com/ROCm/MIOpen/issues/112"
    entries = ("GRD-05",)

    def log_softmax_stage_vjp(self, cotangent: Array, logits: Array) -> Array:
        return self.softmax_stage_vjp(cotangent, logits)


class OnesOfTheBatchSummed(Faithful):
    """A one for each logit of the batch is added in float16, which overflows: 0 x inf."""

    fails = "many-rows-at-once"
    link = "https://github.com/jax-ml/jax/issues/40409"
    entries = ("GRD-08",)
    dtype = "float16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, p, g) + 0 * np.float16(p.size)


class PickedLogitOnceATile(Faithful):
    """The logit of the target is added once for each tile of eight classes."""

    fails = "accurate"
    link = "https://github.com/apple/ml-cross-entropy/issues/52"
    entries = ("GRD-10",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        more = (b.classes - 1) // 8
        picked = np.where(k == 0, 0, k * b.x).sum(1)
        return super().row_losses(b, k, log_p) - more * picked


class PickedLogitNotMasked(Faithful):
    """Only the softmax of an ignored row is masked: its gradient is -onehot."""

    fails = "ignored-rows-are-exactly-zero"
    link = "https://github.com/google-deepmind/optax/issues/1335"
    entries = ("GRD-11",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        if b.labels is None:
            return rows
        onehot = b.labels[:, None] % b.classes == np.arange(b.classes)
        return np.where(b.kept[:, None], rows, -g.reshape(-1, 1) * onehot)


class LogSoftmaxBackwardsIsTheIdentity(Faithful):
    """The Jacobian of log_softmax is folded into the fused loss: the stage itself has none."""

    fails = "log-softmax-nll-equals-fused-gradient"
    link = "https://github.com/pytorch/pytorch/issues/190746"
    entries = ("PAR-04",)
    dtype = "bfloat16"

    def log_softmax_stage_vjp(self, cotangent: Array, logits: Array) -> Array:
        return cotangent


class CotangentOfNothingIsOne(Faithful):
    """A cotangent that is false, as 0 is, is taken for none."""

    fails = "zero-cotangent"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, p, g if g.any() else np.ones_like(g))


class WeightTimesCotangentInFloat16(Faithful):
    """The cotangent is multiplied by the weight before it is divided: in float16, past 65504."""

    fails = "loss-scaling"
    dtype = "float16"
    spares = ("weight-gradient",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = super().row_gradients(b, k, p, g)
        whole = np.abs(g * self.divisor(b) if b.reduction == "mean" else g)
        over = whole.reshape(-1, 1) * np.abs(k).sum(1, keepdims=True) > 65504
        return np.where(over, np.float32(np.inf), rows)
