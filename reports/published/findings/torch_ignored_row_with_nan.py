"""The gradient of an ignored row whose logits hold NaN is NaN, not 0."""

import sys

import torch
import torch.nn.functional as F

logits = torch.tensor([[torch.nan, 0.0], [0.0, 0.0]], requires_grad=True)
F.cross_entropy(logits, torch.tensor([-100, 0])).backward()
got, expected = logits.grad[0].tolist(), [0.0, 0.0]
print(f"got {got}, expected {expected}")
sys.exit(got == expected)
