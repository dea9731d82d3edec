"""Exhibits that are wrong about derivatives: the gradient's, forward mode's, second order's."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- confident predictions -----------------------------------------------------------------------


class GradientOfClippedProbabilities(Faithful):
    """Backwards, probabilities are clipped to [1e-7, 1 - 1e-7]."""

    fails = "confident-gradient"
    link = "https://github.com/keras-team/tf-keras/issues/242"
    entries = ("STB-04",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, np.clip(p, 1e-7, 1 - 1e-7).astype(p.dtype), g)


class GradientDividedByProbabilities(Faithful):
    """The softmax's backward is fed with -k / p: 0 / 0 where p underflows."""

    fails = "confident-gradient"
    link = "https://github.com/FluxML/NNlib.jl/issues/68"
    entries = ("STB-05",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        with np.errstate(all="ignore"):
            inner = (p * (-k / p)).sum(1, keepdims=True)
            rows = g.reshape(-1, 1) * p * (-k / p - inner)
        return np.where(b.kept[:, None], rows, 0)


class OtherClassesFromTheTarget(Faithful):
    """With two classes, the other probability is 1 - p_y: nothing is left of it when p_y -> 1."""

    fails = "confident-gradient"
    link = "https://github.com/pytorch/pytorch/issues/195678"
    entries = ("GRD-07",)
    dtype = "float64"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if b.classes == 2:
            p = np.where(p < 0.5, 1 - p[:, ::-1], p)
        return super().row_gradients(b, k, p, g)


# -- against the loss's own differences ----------------------------------------------------------


class GradientOfTheSharpTarget(Faithful):
    """The loss is smoothed, its gradient is p - onehot."""

    fails = "central-differences"
    link = "https://github.com/linkedin/Liger-Kernel/pull/198"
    entries = ("GRD-13",)
    dtype = "float64"

    def gradient_coefficients(self, b: Batch) -> Array:
        return np.where(b.kept[:, None], b.w * b.q, 0)


class GradientInFloat32(Faithful):
    """The gradient of float64 logits is computed in float32."""

    fails = "central-differences"
    dtype = "float64"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return super().row_gradients(b, k, p.astype(np.float32), g).astype(p.dtype)


# -- state between forward and backward ----------------------------------------------------------


class SavedByTheLastForwardPass(Faithful):
    """The backward pass takes the softmax that the last forward pass of that shape left behind."""

    fails = "gradient-of-its-own-forward-pass"
    saved: Array | None = None

    def log_softmax(self, x: Array) -> Array:
        self.saved = super().softmax(x)
        return super().log_softmax(x)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if self.saved is not None and self.saved.shape == p.shape:
            p = self.saved
        return super().row_gradients(b, k, p, g)


class BackwardOverwritesTheLogits(Faithful):
    """The gradient is stored over the saved logits: a second backward pass differentiates it."""

    fails = "gradient-of-its-own-forward-pass"
    link = "https://github.com/unslothai/unsloth/issues/5002"
    entries = ("MEM-05",)

    def vjp(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        gradient = super().vjp(cotangent, logits, target, **options)
        if logits.flags.writeable:
            logits[...] = gradient
        return gradient


class BufferNeverZeroed(Faithful):
    """Gradients of a shape add up in one buffer, which only another shape clears."""

    fails = "gradient-of-its-own-forward-pass"
    buffer: Array | None = None

    def placed(self, rows: Array, like: Array) -> Array:
        if self.buffer is None or self.buffer.shape != rows.shape:
            self.buffer = np.zeros_like(rows)
        self.buffer = self.buffer + rows
        return super().placed(self.buffer, like)


# -- forward mode --------------------------------------------------------------------------------


class OneMaximumStopped(Faithful):
    """Forward mode runs through the maximum in one of the two places that subtract it."""

    fails = "forward-mode"
    link = "https://github.com/jax-ml/jax/issues/13529"
    entries = ("GRD-09",)
    dtype = "bfloat16"

    def row_derivatives(self, b: Batch, k: Array, p: Array, v: Array) -> Array:
        of_top = np.take_along_axis(v, b.x.argmax(1)[:, None], 1)
        right = super().row_derivatives(b, k, p, v)
        return np.where(b.kept, right - (k.sum(1, keepdims=True) * of_top)[:, 0], 0)


class ForwardModeOfTheSharpTarget(Faithful):
    """Forward mode forgets the smoothing."""

    fails = "forward-mode"

    def row_derivatives(self, b: Batch, k: Array, p: Array, v: Array) -> Array:
        return super().row_derivatives(b, np.where(b.kept[:, None], b.w * b.q, 0), p, v)


class NoForwardMode(Faithful):
    """Forward mode is promised, and missing."""

    fails = "forward-mode"
    dtype = "float16"

    def jvp(self, tangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        raise NotImplementedError("no forward mode for the fused loss")


# -- second order --------------------------------------------------------------------------------


class HessianOfZeros(Faithful):
    """The first gradient is a constant to whoever differentiates it."""

    fails = "hessian-vector-product"
    link = "https://github.com/tensorflow/tensorflow/issues/5876"
    entries = ("SEC-01",)

    def row_curvatures(self, b: Batch, k: Array, p: Array, g: Array, v: Array) -> Array:
        return np.zeros_like(p)


class DifferentiatedOnceOnly(Faithful):
    """The backward pass cannot be differentiated."""

    fails = "hessian-vector-product"
    link = "https://github.com/pytorch/pytorch/issues/2210"
    entries = ("SEC-02",)
    dtype = "float64"

    def hvp(
        self, cotangent: Array, tangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array:
        raise RuntimeError("this function can be differentiated only once")


class SignOfTheWeightLost(Faithful):
    """Second order takes negative weights as positive ones."""

    fails = "hessian-vector-product"
    link = "https://github.com/pytorch/pytorch/issues/64256"
    entries = ("SEC-03",)

    def row_curvatures(self, b: Batch, k: Array, p: Array, g: Array, v: Array) -> Array:
        return super().row_curvatures(b, np.abs(k), p, g, v)


class GradientMadeInTheForwardPass(Faithful):
    """A mean's gradient is made in the forward pass and only scaled backwards: no second order."""

    fails = "hessian-vector-product"
    link = "https://github.com/NVIDIA/TransformerEngine/pull/1456"
    entries = ("SEC-04",)
    dtype = "bfloat16"

    def row_curvatures(self, b: Batch, k: Array, p: Array, g: Array, v: Array) -> Array:
        right = super().row_curvatures(b, k, p, g, v)
        return np.zeros_like(right) if b.reduction == "mean" else right


class HessianIsDiagonal(Faithful):
    """Second order keeps p (1 - p) and forgets that the classes share one sum."""

    fails = "hessian-vector-product"
    dtype = "float16"

    def row_curvatures(self, b: Batch, k: Array, p: Array, g: Array, v: Array) -> Array:
        rows = g.reshape(-1, 1) * k.sum(1, keepdims=True) * p * (1 - p) * v
        return np.where(b.kept[:, None], rows, 0)


# -- the target ----------------------------------------------------------------------------------


class TargetIsAConstant(Faithful):
    """The gradient with respect to probabilities is zero."""

    fails = "gradient-of-the-probabilities"

    def target_slopes(self, b: Batch, log_p: Array) -> Array:
        return np.zeros_like(log_p)


class TargetGradientUnsmoothed(Faithful):
    """The gradient with respect to probabilities keeps the mass that smoothing takes."""

    fails = "gradient-of-the-probabilities"
    dtype = "float64"

    def target_slopes(self, b: Batch, log_p: Array) -> Array:
        return b.w * -log_p
