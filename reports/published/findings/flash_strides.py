"""The stride of the labels is not looked at: of every other label the loss takes each."""

import os
import runpy
from contextlib import nullcontext
from importlib.metadata import distribution

os.environ["TRITON_INTERPRET"] = "1"
import torch

torch.cuda.device = nullcontext
file = distribution("flash-attn").locate_file("flash_attn/ops/triton/cross_entropy.py")
logits, labels = 5 * torch.eye(2), torch.tensor([0, 0, 1, 1])[::2]
got = runpy.run_path(str(file))["cross_entropy_loss"](logits, labels)[0]
raise SystemExit(print(f"got {got}, expected 0.0067 twice") if got[1] > 1 else "right")
