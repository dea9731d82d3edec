"""MindSpore's loss of class indices or probabilities, on the CPU."""

import mindspore
from mindspore import Tensor, ops

from conformance import Unsupported, implementation

mindspore.set_device("CPU")
# Else an error is raised by a later call than the one that made it.
mindspore.set_context(pynative_synchronize=True)
# Else an operator's first calls try ways of dividing its work, which differ in their bits.
mindspore.device_context.cpu.op_tuning.threads_num(1)


@implementation(
    "mindspore-cross-entropy",
    distribution="mindspore",
    dtypes=("float32", "float16"),
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
    if 0 in logits.shape:
        raise Unsupported("its sum over nothing is whatever memory held")
    weight = None if weight is None else Tensor(weight)
    return ops.cross_entropy(logits, Tensor(target), weight, **options)


@cross_entropy.vjp
def vjp(cotangent, logits, target, **options):
    _, pull = mindspore.vjp(lambda x: loss(x, target, **options), Tensor(logits))
    return pull(Tensor(cotangent))[0].asnumpy()
