"""A label smoothing of 1.5 is accepted: it smooths past the uniform distribution."""

import sys

import mindspore
from mindspore import Tensor, ops

mindspore.set_device("CPU")
logits, target = Tensor([[0.0, 3.0]]), Tensor([0], mindspore.int32)
try:
    got = float(ops.cross_entropy(logits, target, label_smoothing=1.5))
except ValueError as error:
    sys.exit(str(error))
print(f"got {got}, expected a ValueError")
