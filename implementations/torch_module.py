"""PyTorch's loss as a module, with its legacy arguments."""

import torch

from conformance import implementation


@implementation(
    "torch-module",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    options=(
        "weight",
        "ignore_index",
        "label_smoothing",
        "reduction",
        "size_average",
        "reduce",
    ),
    links=("https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",),
)
def cross_entropy(logits, target, **options):
    """torch.nn.CrossEntropyLoss"""
    return torch.nn.CrossEntropyLoss(**options)(logits, target)
