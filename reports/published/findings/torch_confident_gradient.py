"""The target's part of a confident row's gradient is 0, where the other class keeps its 5.6e-17."""

import sys

import torch
import torch.nn.functional as F

logits = torch.tensor([[37.42994775, 0.0]], dtype=torch.float64, requires_grad=True)
F.cross_entropy(logits, torch.tensor([0])).backward()
got, expected = logits.grad[0, 0].item(), -logits.grad[0, 1].item()
print(f"got {got}, expected {expected}")
sys.exit(got == expected)
