"""The loss of no rows has no gradient: it raises."""

import sys

import chainer
import chainer.functions as F
import numpy as np

x, got = chainer.Variable(np.zeros((0, 3), "float32")), "an array"
try:
    F.softmax_cross_entropy(x, np.zeros(0, "int32")).backward()
except ValueError as error:
    got = type(error).__name__
print(f"got {got}, expected an array (0, 3)")
sys.exit(got != "ValueError")
