"""A class masked by -inf makes the loss of a one-hot label NaN; that of its index is right."""

import sys

import tensorflow as tf

logits = [[1.0, float("-inf"), 2.0]]
dense, sparse = (
    tf.nn.softmax_cross_entropy_with_logits(labels=[[1.0, 0.0, 0.0]], logits=logits),
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=logits),
)
got, expected = float(dense[0]), float(sparse[0])
print(f"got {got}, expected {expected:.4f}")
sys.exit(got == expected)
