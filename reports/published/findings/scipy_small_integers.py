"""Differences of small integers wrap around: the less likely class gets the larger probability."""

import sys

import numpy as np
from scipy.special import log_softmax

x = np.array([-128, 127], "int8")
got, expected = log_softmax(x), log_softmax(x.astype("float64"))
print(f"got {got}, expected {expected}")
sys.exit(np.allclose(got, expected, rtol=1e-3))
