"""The sum over no rows is what memory held."""

import sys

import mindspore
import numpy as np
from mindspore import Tensor, ops

mindspore.set_device("CPU")
nothing, got = Tensor(np.zeros((0, 2), np.float32)), 0.0
for n in range(1, 200):
    ops.ones((n,)) * 5  # what it leaves in memory
    got = got or float(ops.cross_entropy(nothing, nothing, reduction="sum"))
print(f"got {got}, expected 0.0")
sys.exit(got == 0)
