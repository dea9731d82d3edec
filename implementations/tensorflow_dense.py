"""TensorFlow's fused loss of class probabilities.

Its documentation asks for rows that sum to 1: the gradient is wrong for any other.
"""

import tensorflow as tf

from conformance import implementation


@implementation(
    "tensorflow-dense",
    framework="tensorflow",
    distribution="tensorflow",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("probabilities",),
    shapes=("batched", "unbatched", "spatial"),
    reductions=("none",),
    links=(
        "https://www.tensorflow.org/api_docs/python/tf/nn/softmax_cross_entropy_with_logits",
        "https://www.tensorflow.org/api_docs/python/tf/raw_ops/SoftmaxCrossEntropyWithLogits",
    ),
)
def cross_entropy(logits, target):
    """tf.nn.softmax_cross_entropy_with_logits"""
    axis = min(1, logits.ndim - 1)
    return tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=logits, axis=axis)
