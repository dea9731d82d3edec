"""A label smoothing of NaN is taken for none."""

import math
import sys

import mlx.core as mx
from mlx.nn.losses import cross_entropy

try:
    got = cross_entropy(mx.zeros((1, 2)), mx.array([0]), label_smoothing=math.nan).item()
except ValueError as error:
    sys.exit(str(error))
print(f"got {got}, expected a ValueError, as for -0.1")
sys.exit(got != got)
