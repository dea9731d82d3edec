"""flash-linear-attention's loss, in Triton; without a GPU by Triton's interpreter.

``FusedCrossEntropyLoss``, which reduces it, takes no tensors of the CPU.
"""

import os

import torch
from fla.modules.fused_cross_entropy import cross_entropy_loss

from conformance import Unsupported, implementation

MOST_ROWS = 3_000  # the interpreter takes a millisecond or more for each
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not (INTERPRETED or torch.cuda.is_available()):
    raise RuntimeError("Triton needs a GPU: without one, set TRITON_INTERPRET=1")


@implementation(
    "fla-cross-entropy",
    framework="torch",
    distribution="fla-core",
    dtypes=("float32",),
    devices=("cpu", "cuda") if INTERPRETED else ("cuda",),
    reductions=("none",),
    derivatives=(),  # a kernel that can be differentiated once
    links=(
        "https://github.com/fla-org/flash-linear-attention/blob/main/fla/modules/fused_cross_entropy",
    ),
)
def cross_entropy(logits, target, *, ignore_index=-100, label_smoothing=0.0):
    """fla.modules.fused_cross_entropy.cross_entropy_loss"""
    if INTERPRETED and len(logits) > MOST_ROWS:
        raise Unsupported(f"interpreted, {MOST_ROWS:,} rows take seconds: no more are asked")
    loss, _ = cross_entropy_loss(
        logits, target, ignore_index=ignore_index, label_smoothing=label_smoothing
    )
    return loss
