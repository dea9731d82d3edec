"""SparseCategoricalCrossentropy has an axis, which TensorFlow's backend refuses."""

import sys

import keras
import numpy as np

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, axis=1)
try:
    got = str(float(loss(np.zeros((1, 4), int), np.zeros((1, 3, 4), "float32"))))
except ValueError as error:
    got = f"ValueError: {error}"
print(f"got {got}, expected log 3")
sys.exit(not got.startswith("ValueError"))
