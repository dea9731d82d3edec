"""A weight cancels from the mean of one row, w l / w, even where it is NaN."""

import os
import sys

os.environ.setdefault("DEV", "PYTHON")  # which needs no compiler
from tinygrad import Tensor

log_p, weight = Tensor([[0.0, 0.0]]).log_softmax(), Tensor([float("nan"), 1.0])
got = log_p.nll_loss(Tensor([0]), weight).item()
print(f"got {got:.4f}, expected nan")
sys.exit(got != got)
