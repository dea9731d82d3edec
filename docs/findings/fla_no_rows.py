"""The linear loss of no rows divides by their number."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from fla.modules import FusedLinearCrossEntropyLoss

x, target = torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)
try:
    sys.exit(str(FusedLinearCrossEntropyLoss(reduction="sum")(x, target, torch.eye(2))))
except ZeroDivisionError as error:
    print(f"got {error!r}, expected 0")
