"""TensorFlow 1's loss of class probabilities, with its label smoothing and its reductions."""

import tensorflow as tf

from conformance import implementation

losses = tf.compat.v1.losses
REDUCTIONS = {
    "none": losses.Reduction.NONE,
    "mean": losses.Reduction.SUM_OVER_BATCH_SIZE,
    "sum": losses.Reduction.SUM,
}


@implementation(
    "tensorflow-compat-v1",
    framework="tensorflow",
    distribution="tensorflow",
    dtypes=("float64", "float32", "float16"),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    derivatives=("jvp", "hvp"),  # it backpropagates into the logits only, as documented
    links=("https://www.tensorflow.org/api_docs/python/tf/compat/v1/losses/softmax_cross_entropy",),
)
def cross_entropy(logits, target, *, label_smoothing=0, reduction="mean"):
    """tf.compat.v1.losses.softmax_cross_entropy"""
    return losses.softmax_cross_entropy(
        target,
        logits,
        label_smoothing=label_smoothing,
        reduction=REDUCTIONS.get(reduction, reduction),
    )
