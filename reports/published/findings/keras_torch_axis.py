"""On torch the sparse loss has an axis, but with it drops a last axis of length 1 of the labels."""

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, axis=1, reduction=None)
got = tuple(loss(torch.zeros(2, 1, dtype=torch.long), torch.zeros(2, 3, 1)).shape)
print(f"got a loss of shape {got}, expected (2, 1)")
sys.exit(got == (2, 1))
