"""TensorFlow 1's loss of class indices, with its reductions."""

import tensorflow as tf

from conformance import implementation

losses = tf.compat.v1.losses
REDUCTIONS = {
    "none": losses.Reduction.NONE,
    "mean": losses.Reduction.SUM_OVER_BATCH_SIZE,
    "sum": losses.Reduction.SUM,
}


@implementation(
    "tensorflow-compat-v1-sparse",
    framework="tensorflow",
    distribution="tensorflow",
    dtypes=("float64", "float32", "float16"),
    devices=("cpu", "cuda"),
    target_dtypes=("int64", "int32"),
    links=(
        "https://www.tensorflow.org/api_docs/python/tf/compat/v1/losses/"
        "sparse_softmax_cross_entropy",
    ),
)
def cross_entropy(logits, target, *, reduction="mean"):
    """tf.compat.v1.losses.sparse_softmax_cross_entropy"""
    return losses.sparse_softmax_cross_entropy(
        target, logits, reduction=REDUCTIONS.get(reduction, reduction)
    )
