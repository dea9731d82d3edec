"""One label for two rows is broadcast: both are taken for that class."""

import os
import sys

os.environ.setdefault("DEV", "PYTHON")  # which needs no compiler

from tinygrad import Tensor

x = Tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 5.0]])
got = x.sparse_categorical_crossentropy(Tensor([0]), reduction="none").tolist()
print(f"got {got}, expected an error")
sys.exit(len(got) != 2)
