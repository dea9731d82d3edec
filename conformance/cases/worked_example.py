"""The worked example from which this project started: 4 rows, 5 classes, mean loss 1.5230.

The logits are ``torch.rand(4, 5)`` after ``torch.manual_seed(100)``, kept here bit for bit.
"""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.spec.formats import FORMATS

# fmt: off
LOGITS = (
    ("0x1.c9608000p-4", "0x1.a1b63000p-1", "0x1.0cdd0c00p-2", "0x1.ef7d9c00p-2", "0x1.5a5eae00p-1"),
    ("0x1.82009e00p-1", "0x1.0cfec000p-2", "0x1.5ef14000p-5", "0x1.aa0af000p-3", "0x1.e37b4000p-4"),
    ("0x1.f2762000p-4", "0x1.78a06a00p-1", "0x1.6c6c8400p-1", "0x1.933dc400p-1", "0x1.ac583800p-2"),
    ("0x1.cd864400p-1", "0x1.fe67e200p-1", "0x1.8355e000p-1", "0x1.ca88c000p-3", "0x1.359a3c00p-2"),
)
# fmt: on
"""float32 numbers in hexadecimal notation."""

TARGET = (4, 3, 3, 2)

LOSS = "1.5230"
"""The mean loss of the batch, to four decimals."""


def worked_example(dtype: str = "float32") -> Case:
    """The worked example; in a narrower dtype its logits are rounded (and its loss is another)."""
    logits = np.array([[float.fromhex(text) for text in row] for row in LOGITS])
    return Case(
        logits=logits.astype(FORMATS[dtype].dtype),
        target=np.array(TARGET, np.int64),
        reduction="mean",
    )
