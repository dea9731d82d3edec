"""Asked twice, Liger's gradient is scaled twice: 2 times, then 4 times that of the loss."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

x = torch.zeros(1, 2, requires_grad=True)
loss = 2 * LigerCrossEntropyLoss()(x * 1, torch.tensor([0]))
first = torch.autograd.grad(loss, x, retain_graph=True)[0].clone()
got = torch.autograd.grad(loss, x)[0]
print(f"got {got}, expected {first}")
sys.exit(got.equal(first))
