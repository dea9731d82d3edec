"""Where the first 32,768 classes are masked the loss is NaN: -inf is subtracted from -inf."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

logits = torch.full((1, 40_000), -torch.inf)
logits[0, -2:] = 0
got, expected = (loss(logits, torch.tensor([39_999])).item() for loss in (
    LigerCrossEntropyLoss(), torch.nn.CrossEntropyLoss()))  # fmt: skip
print(f"got {got}, expected {expected}")
sys.exit(got == got)
