"""Keras' loss of class indices from logits, on PyTorch."""

import os

os.environ["KERAS_BACKEND"] = "torch"  # Keras reads it when it is imported

import keras

from conformance import implementation

if keras.config.backend() != "torch":
    raise RuntimeError(f"Keras runs on {keras.config.backend()} here: judge this one by itself")


@implementation(
    "keras-sparse-torch",
    framework="torch",
    distribution="keras",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32", "int16", "int8", "uint8"),
    links=(
        "https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class",
    ),
)
def cross_entropy(logits, target, *, ignore_index=-100, reduction="sum_over_batch_size"):
    """keras.losses.SparseCategoricalCrossentropy(from_logits=True), on PyTorch"""
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True,
        ignore_class=ignore_index,
        reduction=reduction,
        dtype=keras.backend.standardize_dtype(logits.dtype),
    )
    return loss(target, keras.ops.moveaxis(logits, 1, -1))  # another axis loses a last one of 1
