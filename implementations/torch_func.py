"""PyTorch's loss of one row, mapped over the rows, and its derivatives row by row."""

import torch.nn.functional as F
from torch.func import jvp, vjp, vmap

from conformance import implementation


@implementation(
    "torch-func",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("indices", "probabilities"),
    options=("weight", "ignore_index", "label_smoothing"),
    reductions=("none",),
    links=("https://docs.pytorch.org/docs/stable/func.api.html",),
)
def cross_entropy(logits, target, **options):
    """torch.func: vmap, vjp and jvp of torch.nn.functional.cross_entropy"""
    return vmap(lambda x, y: of_row(y, options)(x))(logits, target)


@cross_entropy.vjp
def _(cotangent, logits, target, **options):
    return vmap(lambda c, x, y: vjp(of_row(y, options), x)[1](c)[0])(cotangent, logits, target)


@cross_entropy.jvp
def _(tangent, logits, target, **options):
    return vmap(lambda v, x, y: jvp(of_row(y, options), (x,), (v,))[1])(tangent, logits, target)


def of_row(target, options):
    return lambda logits: F.cross_entropy(logits, target, reduction="none", **options)
