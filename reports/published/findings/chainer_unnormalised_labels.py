"""The gradient of soft targets that do not sum to 1 is softmax - targets, not that of the loss."""

import sys

import chainer
import chainer.functions as F
import numpy as np

x = chainer.Variable(np.zeros((1, 2), "float32"))
F.softmax_cross_entropy(x, np.array([[2.0, 0.0]], "float32")).backward()
print(f"got {x.grad}, expected [[-1. 1.]]")
sys.exit(bool(x.grad[0, 0] == -1))
