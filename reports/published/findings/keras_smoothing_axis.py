"""Smoothing divides by the length of the last axis, whatever the axis of the classes is."""

import math
import sys

import keras
import numpy as np

logits, labels = np.zeros((1, 2, 1), "float32"), np.array([[[1.0], [0.0]]], "float32")
loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.5, axis=1)
got, expected = float(loss(labels, logits)), math.log(2)  # as without smoothing: equal logits
print(f"got {got:.4f}, expected {expected:.4f}")
sys.exit(abs(got - expected) < 1e-6)
