"""Asked twice, Liger's gradient is scaled twice: 2 times, then 4 times that of the loss."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

x = torch.zeros(1, 2, requires_grad=True)
loss = 2 * LigerCrossEntropyLoss()(x * 1, torch.tensor([0]))
loss.backward(retain_graph=True)
first, x.grad = x.grad.clone(), None
loss.backward()
print(f"got {x.grad}, expected {first}")
sys.exit(x.grad.equal(first))
