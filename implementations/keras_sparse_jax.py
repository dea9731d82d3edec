"""Keras' loss of class indices from logits, on JAX.

XLA compiles each operation for each shape and dtype: one dtype here, more on the other backends.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"  # Keras reads it when it is imported

import keras

from conformance import implementation

if keras.config.backend() != "jax":
    raise RuntimeError(f"Keras runs on {keras.config.backend()} here: judge this one by itself")


@implementation(
    "keras-sparse-jax",
    framework="jax",
    distribution="keras",
    dtypes=("float32",),
    devices=("cpu", "cuda"),
    target_dtypes=("int64", "int32"),
    links=(
        "https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class",
    ),
)
def cross_entropy(logits, target, *, ignore_index=-100, reduction="sum_over_batch_size"):
    """keras.losses.SparseCategoricalCrossentropy(from_logits=True), on JAX"""
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True,
        ignore_class=ignore_index,
        reduction=reduction,
        dtype=str(logits.dtype),
    )
    return loss(target, logits)
