"""A label smoothing outside [0, 1] is accepted, and computed with."""

import sys

import keras
import numpy as np

try:
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=1.5)
    got = str(float(loss(np.eye(3, dtype="float32")[:1], np.float32([[1, 2, 3]]))))
except ValueError:
    got = "rejected"
print(f"got {got}, expected rejected")
sys.exit(got == "rejected")
