"""Keras' loss of class probabilities from logits, on JAX.

XLA compiles each operation for each shape and dtype: one dtype here, more on the other backends.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"  # Keras reads it when it is imported

import keras

from conformance import implementation

if keras.config.backend() != "jax":
    raise RuntimeError(f"Keras runs on {keras.config.backend()} here: judge this one by itself")


@implementation(
    "keras-categorical-jax",
    framework="jax",
    distribution="keras",
    dtypes=("float32",),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    links=("https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class",),
)
def cross_entropy(logits, target, *, label_smoothing=0.0, reduction="sum_over_batch_size"):
    """keras.losses.CategoricalCrossentropy(from_logits=True), on JAX"""
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True,
        label_smoothing=label_smoothing,
        reduction=reduction,
        dtype=str(logits.dtype),
    )
    return loss(target, logits)
