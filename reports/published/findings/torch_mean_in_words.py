"""The mean is divided by the weights of the targets, not by the number of elements."""

import sys

import torch
import torch.nn.functional as F

logits, target = torch.tensor([[0.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1])
weight = torch.tensor([3.0, 1.0])
got = F.cross_entropy(logits, target, weight=weight).item()
losses = F.cross_entropy(logits, target, weight=weight, reduction="none")
expected = (losses.sum() / losses.numel()).item()
print(f"got {got:.4f}, expected {expected:.4f}")
sys.exit(got == expected)
