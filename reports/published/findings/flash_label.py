"""A class that there is not has the loss 0, as if another process had it."""

import os
import runpy
from contextlib import nullcontext
from importlib.metadata import distribution

os.environ["TRITON_INTERPRET"] = "1"
import torch

torch.cuda.device = nullcontext
file = distribution("flash-attn").locate_file("flash_attn/ops/triton/cross_entropy.py")
got = runpy.run_path(str(file))["cross_entropy_loss"](torch.zeros(1, 3), torch.tensor([7]))[0]
print(f"got {got.item()}, expected an error or NaN")
raise SystemExit(bool(got != 0))
