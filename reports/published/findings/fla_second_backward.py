"""Asked twice, the gradient of fla's linear loss is scaled twice: halved, then quartered."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from fla.modules import FusedLinearCrossEntropyLoss

x = torch.zeros(1, 2, requires_grad=True)
loss = FusedLinearCrossEntropyLoss()(x, torch.tensor([0]), torch.eye(2)) / 2
first = torch.autograd.grad(loss, x, retain_graph=True)[0].clone()
got = torch.autograd.grad(loss, x)[0]
print(f"got {got}, expected {first}")
sys.exit(got.equal(first))
