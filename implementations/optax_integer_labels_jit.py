"""Optax's loss of class indices, compiled by XLA.

XLA compiles each shape and dtype anew: one dtype here, another in ``optax-integer-labels``.
"""

import jax
import optax

from conformance import implementation


@implementation(
    "optax-integer-labels-jit",
    framework="jax",
    distribution="optax",
    dtypes=("bfloat16",),
    devices=("cpu", "cuda"),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    target_dtypes=("int64", "int32"),
    links=(
        "https://docs.jax.dev/en/latest/_autosummary/jax.jit.html",
        "https://optax.readthedocs.io/en/latest/api/losses.html"
        "#optax.losses.softmax_cross_entropy_with_integer_labels",
    ),
)
@jax.jit
def cross_entropy(logits, target):
    """jax.jit of optax.losses.softmax_cross_entropy_with_integer_labels"""
    return optax.losses.softmax_cross_entropy_with_integer_labels(logits, target)
