"""A negative label smoothing is taken for none (one above 1 is rejected)."""

import sys

import torch
import torch.nn.functional as F

try:
    got = str(F.cross_entropy(torch.zeros(1, 3), torch.tensor([0]), label_smoothing=-3.0).item())
except (RuntimeError, ValueError):
    got = "rejected"
print(f"got {got}, expected rejected")
sys.exit(got == "rejected")
