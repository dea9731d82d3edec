"""Exported, the loss of no rows (N, C, d) is as in eager PyTorch; decomposed, it raises."""

import sys

import torch
from torch.export import Dim, export

x, y, n = torch.zeros(3, 3, 3), torch.zeros(3, 3, dtype=torch.long), {0: Dim.DYNAMIC}
program = export(torch.nn.CrossEntropyLoss(reduction="sum"), (x, y), dynamic_shapes=(n, n))
try:
    got = str(program.run_decompositions().module()(x[:0], y[:0]))
except RuntimeError as error:
    got = f"RuntimeError: {error}"
print(f"got {got}, expected {program.module()(x[:0], y[:0])}")
sys.exit(not got.startswith("RuntimeError"))
