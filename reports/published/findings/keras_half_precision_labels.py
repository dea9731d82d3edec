"""In bfloat16 the label 257 is rounded to 256: the loss is that of another class."""

import sys

import keras
import numpy as np

logits = np.zeros((1, 300), "float32")
logits[0, 257] = 5
losses = []
for dtype in ("bfloat16", "float32"):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
    losses.append(float(loss(np.array([257]), logits)))
print(f"got {losses[0]:.4f}, expected {losses[1]:.4f}")
sys.exit(abs(losses[0] - losses[1]) < 0.1)
