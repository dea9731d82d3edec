"""The default ignore_index, -1, ignores nothing: a row labelled -1 counts in the mean."""

import os
import sys

os.environ.setdefault("DEV", "PYTHON")  # which needs no compiler

from tinygrad import Tensor

x, target = Tensor([[1.0, 2.0, 3.0]] * 2), Tensor([0, -1])
got = x.sparse_categorical_crossentropy(target).item()
print(f"got {got}, expected 2.4076")
sys.exit(abs(got - 2.4076) < 1e-3)
