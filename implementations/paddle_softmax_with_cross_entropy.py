"""Paddle's older function: a loss for each row, of class indices or probabilities."""

import paddle
import paddle.nn.functional as F

from conformance import implementation


@implementation(
    "paddle-softmax-with-cross-entropy",
    distribution="paddlepaddle",
    dtypes=("float64", "float32"),
    targets=("indices", "probabilities"),
    shapes=("batched", "spatial"),
    reductions=("none",),
    links=(
        "https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/functional/"
        "softmax_with_cross_entropy_en.html",
    ),
)
def cross_entropy(logits, target):
    """paddle.nn.functional.softmax_with_cross_entropy"""
    return loss(paddle.to_tensor(logits), target).numpy()


def loss(logits, target):
    soft = target.ndim == logits.ndim
    target = paddle.to_tensor(target if soft else target[:, None])  # an axis of length 1, it wants
    return F.softmax_with_cross_entropy(logits, target, soft_label=soft, axis=1).squeeze(1)


@cross_entropy.vjp
def _(cotangent, logits, target):
    logits = paddle.to_tensor(logits, stop_gradient=False)
    (gradient,) = paddle.grad(loss(logits, target), logits, paddle.to_tensor(cotangent))
    return gradient.numpy()
