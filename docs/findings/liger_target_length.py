"""Where there are fewer labels than rows, Liger reads what lies behind them in memory."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

labels = torch.tensor([0, 0, 1, 1])
logits = torch.tensor([[0.0, 5.0]]).repeat(4, 1)
got = LigerCrossEntropyLoss(reduction="none")(logits, labels[:2])
print(f"got {got}, expected an error: there are two labels")
sys.exit(len(got) < 4)
