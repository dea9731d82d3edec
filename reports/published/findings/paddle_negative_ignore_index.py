"""The mean counts ignored rows where ignore_index is negative, as it is by default."""

import sys

import paddle
import paddle.nn.functional as F

logits = paddle.zeros([2, 2])
got = F.cross_entropy(logits, paddle.to_tensor([0, -100]))
expected = F.cross_entropy(logits, paddle.to_tensor([0, 1]), ignore_index=1)
print(f"got {float(got)}, expected {float(expected)}")
sys.exit(abs(float(got) - float(expected)) < 0.1)
