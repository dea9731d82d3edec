"""TensorFlow's fused loss of class indices."""

import tensorflow as tf

from conformance import implementation


@implementation(
    "tensorflow-sparse",
    framework="tensorflow",
    distribution="tensorflow",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    target_dtypes=("int64", "int32"),
    links=(
        "https://www.tensorflow.org/api_docs/python/tf/nn/sparse_softmax_cross_entropy_with_logits",
        "https://www.tensorflow.org/api_docs/python/tf/raw_ops/SparseSoftmaxCrossEntropyWithLogits",
    ),
)
def cross_entropy(logits, target):
    """tf.nn.sparse_softmax_cross_entropy_with_logits"""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
