"""The second derivative of SoftmaxCrossEntropyWithLogits is 0 everywhere."""

import sys

import mindspore
from mindspore import Tensor, grad, nn

mindspore.set_device("CPU")
logits, target = Tensor([[0.0, 0.0]]), Tensor([0], mindspore.int32)
loss, along = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="sum"), Tensor([[1.0, 0.0]])

got = grad(lambda x: (grad(lambda y: loss(y, target))(x) * along).sum())(logits).asnumpy().tolist()
print(f"got {got}, expected [[0.25, -0.25]]")
sys.exit(got != [[0.0, 0.0]])
