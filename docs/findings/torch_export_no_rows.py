"""Exported, the loss of no rows (N, C, d) is as in eager PyTorch; decomposed, it raises."""

import sys

import torch
from torch.export import Dim, export

x, y = torch.zeros(3, 3, 3), torch.zeros(3, 3, dtype=torch.long)
sizes = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC, 2: Dim.DYNAMIC}, {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
program = export(torch.nn.CrossEntropyLoss(reduction="sum"), (x, y), dynamic_shapes=sizes)
expected = program.module()(x[:0], y[:0])
try:
    got = str(program.run_decompositions().module()(x[:0], y[:0]))
except RuntimeError as error:
    got = f"RuntimeError: {error}"
sys.exit(print(f"got {got}, expected {expected}") or not got.startswith("RuntimeError"))
