"""vmap of grad over no rows, with a class weight, raises; without a weight it is empty."""

import sys

import torch
import torch.nn.functional as F
from torch.func import grad, vmap

try:
    of_row = grad(lambda x, y: F.cross_entropy(x, y, torch.ones(3)))
    got = str(vmap(of_row)(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).shape)
except IndexError as error:
    got = f"IndexError: {error}"
print(f"got {got}, expected no rows")
sys.exit(not got.startswith("IndexError"))
