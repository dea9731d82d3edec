"""In softmax_cross_entropy a class that there is not has the loss of one that is impossible."""

import sys

from mxnet import MXNetError, nd

try:
    got = float(nd.softmax_cross_entropy(nd.array([[0, 0]]), nd.array([5])).asscalar())
except MXNetError:
    got = "an error"
print(f"got {got}, expected an error")
sys.exit(got == "an error")
