"""The smoothed loss of float64 logits has seven digits: its one-hot rows are float32."""

import math
import sys

import paddle
import paddle.nn.functional as F

logits = paddle.zeros([1, 2], dtype="float64")
got = float(F.cross_entropy(logits, paddle.to_tensor([0]), label_smoothing=0.1))
print(f"got {got}, expected {math.log(2)}")
sys.exit(abs(got - math.log(2)) < 1e-12)
