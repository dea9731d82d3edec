"""Exported and decomposed, the loss takes a target with an axis too many; eager PyTorch raises."""

import sys

import torch
from torch.export import Dim, export

x, y = torch.zeros(3, 3, 3), torch.zeros(3, 3, dtype=torch.long)
sizes = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC, 2: Dim.DYNAMIC}, {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
program = export(torch.nn.CrossEntropyLoss(), (x, y), dynamic_shapes=sizes)
decomposed = program.run_decompositions().module()
got = decomposed(torch.zeros(2, 2, 1), torch.zeros(2, 1, 1, dtype=torch.long))
print(f"got {got}, expected an error")
sys.exit(not torch.isfinite(got))
