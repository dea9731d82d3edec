"""A float64 loss of TensorFlow 1 has the precision of float32."""

import math
import sys

import tensorflow as tf

logits = tf.constant([[1e-3, 0.0]], tf.float64)
got = tf.compat.v1.losses.sparse_softmax_cross_entropy([0], logits).numpy()
expected = math.log1p(math.exp(-1e-3))
print(f"got {got} ({got.dtype}), expected {expected}")
sys.exit(bool(abs(got - expected) < 1e-12))
