"""TensorFlow 2.21: the float16 log_softmax of 65,536 equal logits is -inf, not -log 65536."""

import sys

import tensorflow as tf

logits = tf.zeros((1, 65536), tf.float16)
got = float(tf.nn.log_softmax(logits)[0, 0])
loss = float(tf.nn.sparse_softmax_cross_entropy_with_logits([0], logits)[0])
print(f"got {got}, expected -11.09; the fused loss is {loss}")
sys.exit(not (got == float("-inf") and abs(loss - 11.09) < 0.01))
