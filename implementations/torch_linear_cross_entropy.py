"""PyTorch's loss of linearly transformed inputs, with the identity as the transformation.

An infinite logit is no input of its own: in ``logits @ identity`` it meets zeros, and 0 inf is NaN.
"""

import torch
import torch.nn.functional as F

from conformance import implementation

MOST_CLASSES = 20_000  # the identity has the square of them


@implementation(
    "torch-linear-cross-entropy",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched"),
    options=("weight", "ignore_index", "label_smoothing", "reduction"),
    links=(
        "https://docs.pytorch.org/docs/stable/generated/"
        "torch.nn.functional.linear_cross_entropy.html",
    ),
)
def cross_entropy(logits, target, **options):
    """torch.nn.functional.linear_cross_entropy, with an identity for linear_weight"""
    if logits.shape[-1] > MOST_CLASSES:
        raise MemoryError(f"an identity for {logits.shape[-1]} classes is too large")
    identity = torch.eye(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return F.linear_cross_entropy(logits, identity, target, **options)
