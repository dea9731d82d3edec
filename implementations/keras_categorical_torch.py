"""Keras' loss of class probabilities from logits, on PyTorch."""

import os

os.environ["KERAS_BACKEND"] = "torch"  # Keras reads it when it is imported

import keras

from conformance import implementation

if keras.config.backend() != "torch":
    raise RuntimeError(f"Keras runs on {keras.config.backend()} here: judge this one by itself")


@implementation(
    "keras-categorical-torch",
    framework="torch",
    distribution="keras",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    shapes=("batched", "spatial"),
    links=("https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class",),
)
def cross_entropy(logits, target, *, label_smoothing=0.0, reduction="sum_over_batch_size"):
    """keras.losses.CategoricalCrossentropy(from_logits=True), on PyTorch"""
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True,
        label_smoothing=label_smoothing,
        reduction=reduction,
        axis=1,
        dtype=keras.backend.standardize_dtype(logits.dtype),
    )
    return loss(target, logits)
