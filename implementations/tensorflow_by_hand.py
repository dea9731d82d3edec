"""What one writes in a notebook, in TensorFlow.  It overflows: the suite is there to say so."""

import tensorflow as tf

from conformance import implementation


@implementation(
    "tensorflow-by-hand",
    framework="tensorflow",
    distribution="tensorflow",
    dtypes=("float64", "float32"),
    devices=("cpu", "cuda"),
    reductions=("mean",),
    target_dtypes=("int64", "int32"),
)
def cross_entropy(logits, target):
    """exp / sum, pick, log, mean: no shift by the maximum"""
    probabilities = tf.exp(logits) / tf.reduce_sum(tf.exp(logits), axis=1, keepdims=True)
    picked = tf.gather(probabilities, target, batch_dims=1)
    return -tf.reduce_mean(tf.math.log(picked))
