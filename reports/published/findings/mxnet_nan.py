"""Beside a NaN the float32 loss is 88.7; in float64 it is NaN."""

import sys

from mxnet import nd
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

got = float(SoftmaxCrossEntropyLoss()(nd.array([[float("nan"), 0]]), nd.array([1])).asscalar())
print(f"got {got}, expected nan")
sys.exit(got != got)
