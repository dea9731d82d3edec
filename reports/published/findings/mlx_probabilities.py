"""Of probabilities that do not sum to 1 the loss is wrong: 1 is taken for the sum."""

import sys

import mlx.core as mx
import mlx.nn as nn
import numpy as np

logits, target = mx.zeros((1, 2)), mx.array([[2.0, 0.0]])
got = np.array(nn.losses.cross_entropy(logits, target, reduction="sum")).item()
expected = 2 * np.log(2.0)
print(f"got {got}, expected {expected}")
sys.exit(bool(abs(got - expected) < 1e-6))
