"""PyTorch's loss of linearly transformed inputs, two rows at a time.

The transformation is the identity, as in ``torch-linear-cross-entropy``.
"""

import torch
import torch.nn.functional as F

from conformance import Unsupported, implementation

MOST_CLASSES = 20_000  # the identity has the square of them
TWO_ROWS = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2)


@implementation(
    "torch-linear-cross-entropy-chunked",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    options=("weight", "ignore_index", "reduction"),
    derivatives=(),  # in chunks it can be differentiated once
    links=(
        "https://docs.pytorch.org/docs/stable/generated/"
        "torch.nn.functional.linear_cross_entropy.html",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyOptions.html",
    ),
)
def cross_entropy(logits, target, **options):
    """torch.nn.functional.linear_cross_entropy in chunks, with an identity for linear_weight"""
    if logits.shape[-1] > MOST_CLASSES:
        raise Unsupported(f"an identity for more than {MOST_CLASSES:,} classes is too large")
    identity = torch.eye(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return F.linear_cross_entropy(logits, identity, target, options=TWO_ROWS, **options)
