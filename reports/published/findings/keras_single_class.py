"""With one class, and more than one axis of rows, logits lose the axis of the class."""

import sys

import keras
import numpy as np

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
try:
    got = str(loss(np.zeros((2, 3), int), np.zeros((2, 3, 1), "float32")).shape)
except ValueError as error:
    got = f"ValueError: {error}"
print(f"got {got}, expected (2, 3), all 0")
sys.exit(got == "(2, 3)")
