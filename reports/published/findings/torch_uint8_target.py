"""A target out of range is reported by IndexError, but one of uint8 by UnicodeDecodeError."""

import sys

import torch
import torch.nn.functional as F

got = "nothing"
try:
    target = torch.tensor([200], dtype=torch.uint8)
    F.nll_loss(torch.zeros(1, 3), target, reduction="none")
except (IndexError, UnicodeDecodeError) as error:
    got = type(error).__name__
print(f"got {got}, expected IndexError")
sys.exit(got == "IndexError")
