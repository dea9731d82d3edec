"""Keras' loss of class probabilities from logits, computed in the dtype of the logits."""

import keras

from conformance import implementation


@implementation(
    "keras-categorical",
    framework="tensorflow",
    distribution="keras",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    shapes=("batched", "spatial"),
    links=("https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class",),
)
def cross_entropy(logits, target, *, label_smoothing=0.0, reduction="sum_over_batch_size"):
    """keras.losses.CategoricalCrossentropy(from_logits=True), on TensorFlow"""
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True,
        label_smoothing=label_smoothing,
        axis=1,
        reduction=reduction,
        dtype=logits.dtype.name,
    )
    return loss(target, logits)
