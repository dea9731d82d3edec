"""Keras' loss of class indices from logits, computed in the dtype of the logits."""

import keras

from conformance import implementation


@implementation(
    "keras-sparse",
    framework="tensorflow",
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
    """keras.losses.SparseCategoricalCrossentropy(from_logits=True), on TensorFlow"""
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True,
        ignore_class=ignore_index,
        reduction=reduction,
        dtype=logits.dtype.name,
    )
    return loss(target, keras.ops.moveaxis(logits, 1, -1))  # on TensorFlow, axis must be the last
