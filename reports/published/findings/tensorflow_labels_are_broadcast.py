"""One row of labels serves four rows of logits; the loss has not the shape of the labels."""

import sys

import tensorflow as tf

labels, logits = tf.constant([[1.0, 0.0, 0.0]]), tf.zeros((4, 3))
try:
    got = str(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits).shape)
except (ValueError, tf.errors.InvalidArgumentError):
    got = "an error"
print(f"got the shape {got}, expected an error, or (1,)")
sys.exit(got in ("an error", "(1,)"))
