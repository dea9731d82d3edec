"""Optax's loss of class probabilities in which 0 log 0 is 0.

XLA compiles each shape and dtype anew: one dtype here, another in ``optax-safe-jit``.
"""

import optax

from conformance import implementation


@implementation(
    "optax-safe",
    framework="jax",
    distribution="optax",
    dtypes=("float64",),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    links=(
        "https://optax.readthedocs.io/en/latest/api/losses.html"
        "#optax.losses.safe_softmax_cross_entropy",
    ),
)
def cross_entropy(logits, target):
    """optax.losses.safe_softmax_cross_entropy"""
    return optax.losses.safe_softmax_cross_entropy(logits, target)
