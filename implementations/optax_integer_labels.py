"""Optax's loss of class indices.

XLA compiles each shape and dtype anew: one dtype here, another in ``optax-integer-labels-jit``.
"""

import optax

from conformance import implementation


@implementation(
    "optax-integer-labels",
    framework="jax",
    distribution="optax",
    dtypes=("float64",),
    devices=("cpu", "cuda"),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    target_dtypes=("int64", "int32"),
    links=(
        "https://optax.readthedocs.io/en/latest/api/losses.html"
        "#optax.losses.softmax_cross_entropy_with_integer_labels",
    ),
)
def cross_entropy(logits, target):
    """optax.losses.softmax_cross_entropy_with_integer_labels"""
    return optax.losses.softmax_cross_entropy_with_integer_labels(logits, target)
