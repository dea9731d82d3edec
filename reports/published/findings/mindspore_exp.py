"""exp, and with it softmax, is right to 17 bits of the 24 that float32 has."""

import sys

import mindspore
import numpy as np
from mindspore import Tensor, ops

mindspore.set_device("CPU")
x = np.linspace(-20, 0, 100_001).astype(np.float32)
got = ops.exp(Tensor(x)).asnumpy().astype(np.float64)
ulps = np.max(np.abs(got / np.exp(x.astype(np.float64)) - 1)) * 2**24
print(f"got errors of up to {ulps:.0f} u, expected a few")
sys.exit(bool(ulps < 32))
