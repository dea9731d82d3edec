"""One label for three rows is broadcast."""

import sys

import mindspore
from mindspore import Tensor, ops

mindspore.set_device("CPU")
try:
    got = ops.cross_entropy(ops.zeros((3, 2)), Tensor([0], mindspore.int32), reduction="none")
except ValueError as error:
    got = error
print(f"got {got}, expected a ValueError")
sys.exit(isinstance(got, ValueError))
