"""With enable_double_backprop soft targets raise: they are taken for labels."""

import sys

import chainer.functions as F
import numpy as np

x, t = np.zeros((1, 2), "float32"), np.array([[0.5, 0.5]], "float32")
try:
    got = F.softmax_cross_entropy(x, t, enable_double_backprop=True).array
except Exception as error:
    got = type(error).__name__
print(f"got {got}, expected {F.softmax_cross_entropy(x, t).array}")
sys.exit(got != "InvalidType")
