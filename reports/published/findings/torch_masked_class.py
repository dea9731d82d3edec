"""A class masked by -inf makes the loss of a one-hot target NaN; that of its index is right."""

import sys

import torch
import torch.nn.functional as F

logits = torch.tensor([[1.0, -torch.inf, 2.0]])
got = F.cross_entropy(logits, torch.tensor([[1.0, 0.0, 0.0]])).item()
expected = F.cross_entropy(logits, torch.tensor([0])).item()
print(f"got {got}, expected {expected:.4f}")
sys.exit(got == expected)
