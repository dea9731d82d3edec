"""There are no arrays without rows, and so no loss of them."""

import sys

from mxnet import MXNetError, nd
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

try:
    got = SoftmaxCrossEntropyLoss()(nd.zeros((0, 3)), nd.zeros(0)).asnumpy()
except MXNetError as error:
    got = type(error).__name__
print(f"got {got}, expected []")
sys.exit(got != "MXNetError")
