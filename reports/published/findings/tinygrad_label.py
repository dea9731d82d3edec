"""A class that there is not has the loss 0, and so does the row that it labels."""

import os
import sys

os.environ.setdefault("DEV", "PYTHON")  # which needs no compiler

from tinygrad import Tensor

got = Tensor([[1.0, 2.0, 3.0]]).cross_entropy(Tensor([7])).item()
print(f"got {got}, expected an error, or nan")
sys.exit(got != 0)
