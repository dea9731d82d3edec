"""Optax's loss of class probabilities in which 0 log 0 is 0, compiled by XLA.

XLA compiles each shape and dtype anew: one dtype here, another in ``optax-safe``.
"""

import jax
import optax

from conformance import implementation


@implementation(
    "optax-safe-jit",
    framework="jax",
    distribution="optax",
    dtypes=("float32",),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    links=(
        "https://docs.jax.dev/en/latest/_autosummary/jax.jit.html",
        "https://optax.readthedocs.io/en/latest/api/losses.html"
        "#optax.losses.safe_softmax_cross_entropy",
    ),
)
@jax.jit
def cross_entropy(logits, target):
    """jax.jit of optax.losses.safe_softmax_cross_entropy"""
    return optax.losses.safe_softmax_cross_entropy(logits, target)
