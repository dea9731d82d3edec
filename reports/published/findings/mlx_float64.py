"""On the CPU the loss of float64 logits has the accuracy of float32."""

import sys

import mlx.core as mx
import mlx.nn as nn
import numpy as np

logits = mx.array([[0.0, 2.0]], dtype=mx.float64)
got = float(np.array(nn.losses.cross_entropy(logits, mx.array([0])))[0])
expected = float(np.log1p(np.exp(2.0)))
print(f"got {got!r}, expected {expected!r}")
sys.exit(abs(got - expected) < 1e-12)
