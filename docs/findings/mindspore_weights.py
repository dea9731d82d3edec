"""Weights of shape (C, C) are accepted: each row of logits has a row of them."""

import sys

import mindspore
from mindspore import Tensor, ops

mindspore.set_device("CPU")
logits, target = Tensor([[0.0, 0.0], [0.0, 0.0]]), Tensor([0, 1], mindspore.int32)
try:
    got = ops.cross_entropy(logits, target, Tensor([[1.0, 2.0], [3.0, 4.0]]), reduction="none")
except ValueError as error:
    sys.exit(str(error))
print(f"got {got}, expected a ValueError")
