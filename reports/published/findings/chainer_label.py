"""The label -2 is the last but one class; differentiated twice, label 7 of three is the last."""

import sys

import chainer.functions as F
import numpy as np

x = np.array([[0.0, 1.0, 2.0]], "float32")
try:
    low = F.softmax_cross_entropy(x, np.array([-2])).array
    got = [low, F.softmax_cross_entropy(x, np.array([7]), enable_double_backprop=True).array]
except (IndexError, ValueError):
    got = "an error"
print(f"got {got}, expected an error")
sys.exit(got == "an error")
