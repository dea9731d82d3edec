"""The loss put together from PyTorch's functions: log-softmax, then NLL."""

import torch.nn.functional as F

from conformance import implementation


@implementation(
    "torch-log-softmax-nll",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    target_dtypes=("int64", "uint8"),
    options=("weight", "ignore_index", "reduction"),
    links=(
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html",
    ),
)
def cross_entropy(logits, target, **options):
    """torch.nn.functional.log_softmax, then nll_loss"""
    return F.nll_loss(F.log_softmax(logits, dim=1), target, **options)
