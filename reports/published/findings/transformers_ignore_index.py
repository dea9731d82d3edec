"""LabelSmoother looks an ignored label up before it ignores it: beyond the classes it raises."""

import torch
from transformers.trainer_pt_utils import LabelSmoother

smoother = LabelSmoother(0.1, ignore_index=255)
try:
    got = smoother({"logits": torch.zeros(2, 3)}, torch.tensor([255, 0]))
except RuntimeError as error:
    got = error
print(f"got {got}, expected 1.0986")
raise SystemExit(not isinstance(got, RuntimeError))
