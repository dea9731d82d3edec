"""The float16 loss of 65,536 equal logits is infinite: the sum of exp is kept in float16."""

import math
import sys

import torch
import torch.nn.functional as F

logits, target = torch.zeros(1, 65536).half(), torch.tensor([0])
got = F.cross_entropy(logits, target).item()
same = F.cross_entropy(logits[:, :, None], target[:, None]).item()  # the same row, as (N, C, d)
print(f"got {got}, expected {math.log(65536):.4f}; as (N, C, d) it is {same:.4f}")
sys.exit(math.isfinite(got))
