"""An ignored row with NaN has the loss NaN, not 0."""

import sys

import chainer.functions as F
import numpy as np

x = np.array([[np.nan, 0.0], [0.0, 0.0]], "float32")
got = F.softmax_cross_entropy(x, np.array([-1, 0]), reduce="no").array
print(f"got {got}, expected [0. 0.6931472]")
sys.exit(bool(got[0] == 0))
