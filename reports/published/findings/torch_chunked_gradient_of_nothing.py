"""Where all rows are ignored the gradient is 0, but in chunks it is NaN."""

import sys

import torch
import torch.nn.functional as F

gradients = []
for options in (torch.nn.LinearCrossEntropyOptions(batch_chunk_size=1), None):
    x = torch.zeros(1, 2, requires_grad=True)
    F.linear_cross_entropy(x, torch.eye(2), torch.tensor([-100]), options=options).backward()
    gradients.append(x.grad.tolist())
got, expected = gradients
print(f"got {got}, expected {expected}")
sys.exit(got == expected)
