"""The loss put together by hand from PyTorch's modules: softmax, then log, then NLL."""

import torch

from conformance import implementation


@implementation(
    "torch-softmax-log-nll",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    shapes=("batched", "spatial"),
    options=("weight", "ignore_index", "reduction"),
    links=(
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html",
    ),
)
def cross_entropy(logits, target, **options):
    """torch.nn.Softmax, then log, then torch.nn.NLLLoss: loses what underflows in between"""
    probabilities = torch.nn.Softmax(dim=1)(logits)
    return torch.nn.NLLLoss(**options)(probabilities.log(), target)
