"""flash-linear-attention's loss of linearly transformed inputs, with the identity for weight.

Without a GPU by Triton's interpreter.  Of more classes than there is memory for their identity it
is not asked.
"""

import os

import torch
from fla.modules import FusedLinearCrossEntropyLoss

from conformance import Unsupported, implementation

MOST_CLASSES = 5_000  # the identity has the square of them
MOST_ROWS = 3_000  # the interpreter takes a millisecond or more for each
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not (INTERPRETED or torch.cuda.is_available()):
    raise RuntimeError("Triton needs a GPU: without one, set TRITON_INTERPRET=1")


@implementation(
    "fla-linear-cross-entropy",
    framework="torch",
    distribution="fla-core",
    dtypes=("float32",),
    devices=("cpu", "cuda") if INTERPRETED else ("cuda",),
    options=("ignore_index", "label_smoothing", "reduction"),
    reductions=("mean", "sum"),
    derivatives=(),  # the gradient is computed ahead, in the forward pass
    links=(
        "https://github.com/fla-org/flash-linear-attention/blob/main/fla/modules/fused_linear_cross_entropy",
    ),
)
def cross_entropy(logits, target, **options):
    """fla.modules.FusedLinearCrossEntropyLoss, with an identity for weight"""
    if INTERPRETED and len(logits) > MOST_ROWS:
        raise Unsupported(f"interpreted, {MOST_ROWS:,} rows take seconds: no more are asked")
    if logits.shape[-1] > MOST_CLASSES:
        raise Unsupported(f"an identity for more than {MOST_CLASSES:,} classes is too large")
    identity = torch.eye(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return FusedLinearCrossEntropyLoss(**options)(logits, target, identity)
