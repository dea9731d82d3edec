"""The label -1 is the last class; the label C is an error."""

import sys

import mindspore
from mindspore import Tensor, ops

mindspore.set_device("CPU")
try:
    got = float(ops.cross_entropy(Tensor([[0.0, 1.0, 2.0]]), Tensor([-1], mindspore.int32)))
except RuntimeError as error:
    got = error
print(f"got {got}, expected a RuntimeError, as for 3")
sys.exit(isinstance(got, RuntimeError))
