"""A negative label smoothing, or NaN, is taken for none."""

import sys

import paddle
import paddle.nn.functional as F

logits, target = paddle.to_tensor([[0.0, 1.0]]), paddle.to_tensor([0])
try:
    got = float(F.cross_entropy(logits, target, label_smoothing=-3.0))
except ValueError as error:
    got = error
print(f"got {got}, expected a ValueError, as for 1.5")
sys.exit(isinstance(got, ValueError))
