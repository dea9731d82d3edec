"""On JAX, a class masked by -inf makes the sparse loss NaN: it is multiplied by a one-hot 0."""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
got, expected = float(loss(np.array([0]), np.array([[1.0, -np.inf, 2.0]], "float32"))), 1.3133
print(f"got {got}, expected {expected}")
sys.exit(abs(got - expected) < 1e-3)
