"""In the linear loss, labels beyond the rows count in the mean: two thirds of log 2."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from fla.modules import FusedLinearCrossEntropyLoss

try:
    got = FusedLinearCrossEntropyLoss()(torch.zeros(2, 2), torch.tensor([0, 1, 0]), torch.eye(2))
except (AssertionError, RuntimeError, ValueError):
    sys.exit("an error, as should be")
print(f"got {got}, expected an error")
sys.exit(abs(got.item() - 0.4621) > 1e-3)
