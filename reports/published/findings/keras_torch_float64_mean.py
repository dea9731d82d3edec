"""On torch, the mean of a loss with dtype="float64" is a float32."""

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
got = loss(torch.tensor([0]), torch.zeros(1, 3, dtype=torch.float64)).dtype
print(f"got {got}, expected torch.float64")
sys.exit(got == torch.float64)
