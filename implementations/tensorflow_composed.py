"""The options of torch's loss, composed from TensorFlow's operations: TensorFlow has none of them.

Its pieces are ``tf.nn.softmax`` and ``tf.nn.log_softmax``; the rest is picked and summed here.
"""

import tensorflow as tf

from conformance import Unsupported, implementation


@implementation(
    "tensorflow-composed",
    framework="tensorflow",
    distribution="tensorflow",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    target_dtypes=("int64", "int32"),
    links=("https://www.tensorflow.org/api_docs/python/tf/nn/log_softmax",),
)
def cross_entropy(
    logits, target, *, weight=None, ignore_index=-100, label_smoothing=0.0, reduction="mean"
):
    """tf.nn.log_softmax, picked, smoothed, weighted and reduced by TensorFlow's operations"""
    kept = target != ignore_index
    log_p = tf.nn.log_softmax(tf.where(kept[:, None], logits, 0))  # lest garbage reach a gradient
    loss, w = picked(log_p, target, weight, ignore_index)
    if label_smoothing:
        weighted = log_p if weight is None else weight * log_p
        uniform = tf.where(kept, -tf.reduce_mean(weighted, axis=1), 0)
        loss = (1 - label_smoothing) * loss + label_smoothing * uniform
    return reduced(loss, w, reduction)


@cross_entropy.softmax
def softmax(logits):
    return tf.nn.softmax(logits)


@cross_entropy.log_softmax
def log_softmax(logits):
    return tf.nn.log_softmax(logits)


@cross_entropy.nll_loss
def nll_loss(log_p, target, *, weight=None, ignore_index=-100, reduction="mean"):
    return reduced(*picked(log_p, target, weight, ignore_index), reduction)


def picked(log_p, target, weight, ignore_index):
    """Each row's -w_y log p_y, and its w_y; both 0 where the row is ignored."""
    kept = target != ignore_index
    y = tf.where(kept, target, 0)
    w = tf.ones_like(y, log_p.dtype) if weight is None else tf.gather(weight, y)
    w = tf.where(kept, w, 0)
    rows = tf.range(tf.size(y), dtype=y.dtype)
    return tf.where(kept, -w * tf.gather_nd(log_p, tf.stack([rows, y], axis=1)), 0), w


def reduced(loss, w, reduction):
    match reduction:
        case "none":
            return loss
        case "sum":
            return tf.reduce_sum(loss)
        case "mean":
            return tf.reduce_sum(loss) / tf.reduce_sum(w)
    raise Unsupported("TensorFlow's sums have no argument of that name")
