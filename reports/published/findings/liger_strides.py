"""Where the classes are not contiguous, Liger's gradient is the logits: it was never computed."""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

logits = torch.tensor([[5.0, 7.0], [6.0, 8.0]]).t().requires_grad_()
LigerCrossEntropyLoss(reduction="sum")(logits, torch.tensor([0, 1])).backward()
print(f"got {logits.grad}, expected [[-0.7311, 0.7311], [0.2689, -0.2689]]")
sys.exit(not logits.grad.equal(logits))
