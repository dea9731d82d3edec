"""The first calls answer otherwise than later ones: log tries ways of dividing its work."""

import sys

import mindspore
import numpy as np
from mindspore import Tensor, ops

mindspore.set_device("CPU")
logits = Tensor(np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3))
target = Tensor([0, 1, 2, 0], mindspore.int32)
answers = [ops.cross_entropy(logits, target, reduction="none").asnumpy() for _ in range(7)]
same = all((answer == answers[0]).all() for answer in answers)
print(f"got {answers[0]}, then {answers[-1]}, expected the same")
sys.exit(same)
