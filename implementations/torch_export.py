"""PyTorch's loss, exported with dynamic sizes and decomposed into core ATen operations.

One program serves all sizes and every ``ignore_index``; dtypes, reductions and the like have their
own.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch.export import Dim, export

from conformance import implementation


@implementation(
    "torch-export",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    shapes=("batched", "spatial"),
    links=(
        "https://docs.pytorch.org/docs/stable/export.html",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html",
    ),
)
def cross_entropy(logits, target, *, weight=None, ignore_index=-100, reduction="mean"):
    """torch.export of torch.nn.functional.cross_entropy, run_decompositions()"""
    like = (logits.dtype, logits.device, logits.ndim, weight is not None, reduction)
    return program(*like)(logits, target, weight, ignore_index)


@cache
def program(dtype, device, ndim, weighted, reduction):
    """The decomposed program, traced with an example of size 3 in each axis."""

    class Loss(torch.nn.Module):
        def forward(self, x, y, w, ignore_index):
            return F.cross_entropy(x, y, w, ignore_index=ignore_index, reduction=reduction)

    x = torch.zeros([3] * ndim, dtype=dtype, device=device)
    y = torch.zeros([3] * (ndim - 1), dtype=torch.int64, device=device)
    arguments = x, y, x.new_zeros(3) if weighted else None, -100
    axes = [dict.fromkeys(range(a.ndim), Dim.DYNAMIC) for a in (x, y)]
    sizes = *axes, {0: Dim.DYNAMIC} if weighted else None, Dim.DYNAMIC
    return export(Loss(), arguments, dynamic_shapes=sizes).run_decompositions().module()
