"""Paddle's loss of class indices."""

import paddle
import paddle.nn.functional as F

from conformance import implementation


@implementation(
    "paddle-cross-entropy",
    distribution="paddlepaddle",
    dtypes=("float64", "float32"),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
    options=("weight", "ignore_index", "reduction"),
    links=(
        "https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/functional/"
        "cross_entropy_en.html",
    ),
)
def cross_entropy(logits, target, **options):
    """paddle.nn.functional.cross_entropy"""
    return loss(paddle.to_tensor(logits), target, **options).numpy()


def loss(logits, target, *, weight=None, **options):
    weight = None if weight is None else paddle.to_tensor(weight)
    return F.cross_entropy(logits, paddle.to_tensor(target), weight, axis=1, **options)


@cross_entropy.vjp
def _(cotangent, logits, target, **options):
    logits = paddle.to_tensor(logits, stop_gradient=False)
    cotangent = paddle.to_tensor(cotangent)
    (gradient,) = paddle.grad(loss(logits, target, **options), logits, cotangent)
    return gradient.numpy()
