"""PyTorch's loss of linearly transformed inputs, with the identity as the transformation.

An infinite logit is no input of its own: in ``logits @ identity`` it meets zeros, and 0 inf is NaN.
Of more classes than there is memory for their identity it is not asked.
"""

import torch
import torch.nn.functional as F

from conformance import Unsupported, implementation

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
        raise Unsupported(f"an identity for more than {MOST_CLASSES:,} classes is too large")
    identity = torch.eye(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return F.linear_cross_entropy(logits, identity, target, **options)
