"""Liger's loss of no rows raises, whatever the reduction."""

import os

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

try:
    got = LigerCrossEntropyLoss(reduction="none")(torch.zeros(0, 3), torch.zeros(0).long())
except RuntimeError as error:
    raise SystemExit(print(f"got {error}, expected no losses")) from None
raise SystemExit(str(got))
