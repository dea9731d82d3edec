"""Exhibits whose arithmetic is of another grade than the faithful one's."""

from __future__ import annotations

import numpy as np
from faithful import Array, Batch, Faithful


class ComputedInFloat32(Faithful):
    """float64 logits are computed in float32, and the loss is returned as float64."""

    fails = "no-silent-downcast"
    link = "https://github.com/pytorch/pytorch/issues/64163"
    entries = ("DTY-03",)
    dtype = "float64"

    def widened(self, array: Array) -> Array:
        return array.astype(np.float32)


class LogarithmIn16Bits(Faithful):
    """Log-probabilities are rounded to 16 bits before the weighted sum over the classes."""

    fails = "wide"
    link = "https://github.com/google-deepmind/optax/issues/1020"
    entries = ("DTY-04",)
    dtype = "bfloat16"

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        log_sum = b.x.max(1, keepdims=True) + np.log(self.class_sum(np.exp(self.shifted(b.x))))
        rounded = b.x - log_sum.astype(b.logits.dtype).astype(b.x.dtype)
        return super().row_losses(b, k, rounded)


class OneRunningSum(Faithful):
    """The classes are added one after another."""

    fails = "simd8"

    def class_sum(self, terms: Array) -> Array:
        return np.cumsum(terms, axis=1, dtype=terms.dtype)[:, -1:]


class ClippedToOneMinusEpsilon(Faithful):
    """Probabilities are at most 1 - 1e-7: no loss is smaller."""

    fails = "relative-accuracy-of-tiny-losses"
    link = "https://github.com/keras-team/tf-keras/issues/242"
    entries = ("STB-04",)
    dtype = "float64"

    def log_softmax(self, x: Array) -> Array:
        return np.minimum(super().log_softmax(x), np.log1p(-1e-7))
