"""Label 7 of three classes is the last one."""

import sys

from mxnet import nd
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

loss, x = SoftmaxCrossEntropyLoss(), nd.array([[0, 1, 2]])
got, last = (float(loss(x, nd.array([label])).asscalar()) for label in (7, 2))
print(f"got {got}, expected an error")
sys.exit(got != last)
