"""The gradient of labels that do not sum to 1 is not that of the loss returned."""

import sys

import tensorflow as tf

logits = tf.constant([[0.0, 0.0]])
with tf.GradientTape() as tape:
    tape.watch(logits)
    loss = tf.nn.softmax_cross_entropy_with_logits(labels=[[2.0, 0.0]], logits=logits)
got = tape.gradient(loss, logits).numpy().tolist()
expected = [[-1.0, 1.0]]  # of the loss 2 log(exp(x_0) + exp(x_1)) - 2 x_0
print(f"got {got}, expected {expected}")
sys.exit(got == expected)
