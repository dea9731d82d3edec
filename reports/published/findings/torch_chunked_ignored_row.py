"""In chunks, an ignored row with NaN makes the loss of all rows NaN."""

import sys

import torch
import torch.nn.functional as F

x, target = torch.tensor([[torch.nan, 0.0], [0.0, 0.0]]), torch.tensor([-100, 0])
in_chunks = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=1)
got = F.linear_cross_entropy(x, torch.eye(2), target, options=in_chunks).item()
expected = F.linear_cross_entropy(x, torch.eye(2), target).item()
print(f"got {got}, expected {expected:.4f}")
sys.exit(got == expected)
