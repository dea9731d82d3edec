"""Liger writes the gradient over the logits: an operation that kept them has a wrong gradient."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

gradients = []
for loss in (LigerCrossEntropyLoss(), torch.nn.CrossEntropyLoss()):
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    gradients += torch.autograd.grad(loss(x.softmax(1), torch.tensor([0])), x)
print(f"got {gradients[0]}, expected {gradients[1]}")
sys.exit(gradients[0].allclose(gradients[1]))
