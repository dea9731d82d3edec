"""Paddle's loss of probabilities, and with label smoothing, which makes them of class indices.

Its weights of probabilities are others than torch's (a row's is that of its target as a whole), and
nothing is ignored there, as its documentation says: there are neither here.
"""

import paddle
import paddle.nn.functional as F

from conformance import implementation


@implementation(
    "paddle-smoothed",
    distribution="paddlepaddle",
    dtypes=("float64", "float32"),
    targets=("indices", "probabilities"),
    shapes=("batched", "spatial"),
    options=("label_smoothing", "reduction"),
    links=(
        "https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/functional/"
        "cross_entropy_en.html",
    ),
)
def cross_entropy(logits, target, **options):
    """paddle.nn.functional.cross_entropy, with soft_label or label_smoothing"""
    return loss(paddle.to_tensor(logits), paddle.to_tensor(target), **options).numpy()


def loss(logits, target, *, reduction="mean", **options):
    options |= {"soft_label": target.ndim == logits.ndim, "axis": 1, "reduction": reduction}
    losses = F.cross_entropy(logits, target, **options)
    return losses.squeeze(1) if losses.ndim == logits.ndim else losses


@cross_entropy.vjp
def _(cotangent, logits, target, **options):
    logits, target = paddle.to_tensor(logits, stop_gradient=False), paddle.to_tensor(target)
    cotangent = paddle.to_tensor(cotangent)
    (gradient,) = paddle.grad(loss(logits, target, **options), logits, cotangent)
    return gradient.numpy()
