"""In chunks, more targets than rows are accepted."""

import sys

import torch
import torch.nn.functional as F

in_chunks = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=1)
x, target = torch.zeros(2, 2), torch.tensor([0, 1, 1])
try:
    got = str(F.linear_cross_entropy(x, torch.eye(2), target, options=in_chunks).item())
except (RuntimeError, ValueError) as error:
    got = type(error).__name__
print(f"got {got}, expected ValueError, as without chunks")
sys.exit("Error" in got)
