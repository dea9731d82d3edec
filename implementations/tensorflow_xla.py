"""TensorFlow's fused loss of class indices, compiled by XLA.

XLA compiles each shape and dtype anew; nothing falls back to TensorFlow's own kernels.
"""

import tensorflow as tf

from conformance import implementation


@implementation(
    "tensorflow-xla",
    framework="tensorflow",
    distribution="tensorflow",
    dtypes=("float64", "float32"),
    devices=("cpu", "cuda"),
    reductions=("none",),
    links=(
        "https://www.tensorflow.org/api_docs/python/tf/nn/sparse_softmax_cross_entropy_with_logits",
        "https://www.tensorflow.org/api_docs/python/tf/function",
    ),
)
@tf.function(jit_compile=True)
def cross_entropy(logits, target):
    """tf.function(jit_compile=True) of tf.nn.sparse_softmax_cross_entropy_with_logits"""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
