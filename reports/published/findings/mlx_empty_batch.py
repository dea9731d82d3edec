"""The loss of no rows is refused."""

import sys

import mlx.core as mx
import mlx.nn as nn

try:
    got = str(nn.losses.cross_entropy(mx.zeros((0, 3)), mx.zeros(0, mx.int32)).shape)
except ValueError as error:
    got = f"ValueError: {error}"
print(f"got {got}, expected (0,)")
sys.exit(got == "(0,)")
