"""Optax's loss of class probabilities, and its label smoothing.

XLA compiles each shape and dtype anew: one dtype here, another in ``optax-dense-jit``.
"""

import optax

from conformance import implementation


@implementation(
    "optax-dense",
    framework="jax",
    distribution="optax",
    dtypes=("float64",),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    links=(
        "https://optax.readthedocs.io/en/latest/api/losses.html#optax.losses.softmax_cross_entropy",
        "https://optax.readthedocs.io/en/latest/api/losses.html#optax.losses.smooth_labels",
    ),
)
def cross_entropy(logits, target, *, label_smoothing=0.0):
    """optax.losses.softmax_cross_entropy of optax.losses.smooth_labels"""
    smooth = optax.losses.smooth_labels(target, label_smoothing)
    return optax.losses.softmax_cross_entropy(logits, smooth)
