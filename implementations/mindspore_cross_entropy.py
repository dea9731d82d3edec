"""MindSpore's loss of class indices or probabilities, on the CPU.

It has float16, too, but takes some 30 ms for a call: one dtype is asked.
"""

import mindspore
from mindspore import Tensor, ops

from conformance import implementation

mindspore.set_device("CPU")


@implementation(
    "mindspore-cross-entropy",
    distribution="mindspore",
    dtypes=("float32",),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    target_dtypes=("int32",),
    options=("weight", "ignore_index", "label_smoothing", "reduction"),
    links=(
        "https://www.mindspore.cn/docs/en/master/api_python/ops/mindspore.ops.cross_entropy.html",
    ),
)
def cross_entropy(logits, target, **options):
    """mindspore.ops.cross_entropy"""
    return loss(Tensor(logits), target, **options).asnumpy()


def loss(logits, target, *, weight=None, **options):
    weight = None if weight is None else Tensor(weight)
    return ops.cross_entropy(logits, Tensor(target), weight, **options)


@cross_entropy.vjp
def vjp(cotangent, logits, target, **options):
    _, pull = mindspore.vjp(lambda x: loss(x, target, **options), Tensor(logits))
    return pull(Tensor(cotangent))[0].asnumpy()
