"""The gradient of a float32 maximum, or of a log-softmax that is shifted by it, is float64."""

import sys

import autograd.numpy as np
from autograd import grad

got = grad(np.max)(np.ones(2, "float32")).dtype
print(f"got {got}, expected float32")
sys.exit(got == "float32")
