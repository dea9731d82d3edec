"""The gradient takes exp(x - lse) of a stored lse, whose digits an offset has cost."""

import os
import runpy
from importlib.metadata import distribution

os.environ["TRITON_INTERPRET"] = "1"
import torch

torch.cuda.device = lambda index: torch.no_grad()
file = distribution("flash-attn").locate_file("flash_attn/ops/triton/cross_entropy.py")
logits = torch.tensor([[-100_001.0, -100_000.0]], requires_grad=True)
loss = runpy.run_path(str(file))["cross_entropy_loss"](logits, torch.tensor([0]))[0].sum()
got = torch.autograd.grad(loss, logits)[0][0, 1].item()
raise SystemExit(print(f"got {got}, expected 0.73106") if abs(got - 0.73106) > 1e-4 else "right")
