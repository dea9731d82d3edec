"""A class that there is not has fla's loss of a logit of 0: the log-sum-exp alone."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from fla.modules.fused_cross_entropy import cross_entropy_loss

got = cross_entropy_loss(torch.zeros(1, 3), torch.tensor([7]))[0].item()
print(f"got {got}, expected an error or NaN")
sys.exit(got != got)
