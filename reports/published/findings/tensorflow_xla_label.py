"""A label out of range gives NaN on the CPU, where XLA has compiled the loss."""

import sys

import tensorflow as tf

loss = tf.function(tf.nn.sparse_softmax_cross_entropy_with_logits, jit_compile=True)
try:
    with tf.device("cpu"):
        got = str(loss(labels=[2], logits=[[0.0, 0.0]]).numpy())
except tf.errors.InvalidArgumentError:
    got = "InvalidArgumentError"
print(f"got {got}, expected InvalidArgumentError")
sys.exit(got == "InvalidArgumentError")
