"""LabelSmoother takes any negative label for class 0, unless it is the one to ignore."""

import sys

import torch
from transformers.trainer_pt_utils import LabelSmoother

smoother, logits = LabelSmoother(0.1), {"logits": torch.tensor([[0.0, 5.0, 5.0]])}
got, of_class_0 = (smoother(logits, torch.tensor([label])).item() for label in (-1, 0))
print(f"got {got}, expected an error: it is the loss of class 0, {of_class_0}")
sys.exit(got != of_class_0)
