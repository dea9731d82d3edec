"""The loss of a probability below 1e-7 is that of 1e-7."""

import math
import sys

import keras
import numpy as np

loss = keras.losses.SparseCategoricalCrossentropy()
got = float(loss(np.array([0]), np.array([[1e-10, 1.0]], "float32")))
expected = -math.log(1e-10)
print(f"got {got:.3f}, expected {expected:.3f}")
sys.exit(abs(got - expected) < 1e-3)
