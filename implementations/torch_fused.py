"""PyTorch's fused loss, and the pieces it is made of."""

import torch
import torch.nn.functional as F

from conformance import implementation


@implementation(
    "torch-fused",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    options=("weight", "ignore_index", "label_smoothing", "reduction"),
    links=(
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html",
    ),
)
def cross_entropy(logits, target, **options):
    """torch.nn.functional.cross_entropy"""
    return F.cross_entropy(logits, target, **options)


@cross_entropy.softmax
def softmax(logits):
    return torch.softmax(logits, dim=min(1, logits.ndim - 1))


@cross_entropy.log_softmax
def log_softmax(logits):
    return torch.log_softmax(logits, dim=min(1, logits.ndim - 1))


@cross_entropy.nll_loss
def nll_loss(log_probabilities, target, **options):
    return F.nll_loss(log_probabilities, target, **options)
