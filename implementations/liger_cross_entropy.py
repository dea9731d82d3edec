"""Liger Kernel's loss, in Triton; without a GPU by Triton's interpreter.

That cannot run it with weights, and writes wrong bits into a single bfloat16.
"""

import os

import torch
from liger_kernel.transformers import LigerCrossEntropyLoss

from conformance import Unsupported, implementation

MOST_ROWS = 3_000  # the interpreter takes a millisecond or more for each
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not (INTERPRETED or torch.cuda.is_available()):
    raise RuntimeError("Triton needs a GPU: without one, set TRITON_INTERPRET=1")


@implementation(
    "liger-cross-entropy",
    framework="torch",
    distribution="liger-kernel",
    dtypes=("float32",) if INTERPRETED else ("float32", "bfloat16"),
    devices=("cpu", "cuda") if INTERPRETED else ("cuda",),
    options=("ignore_index", "label_smoothing", "reduction", *([] if INTERPRETED else ["weight"])),
    derivatives=(),  # the gradient is computed ahead, in the forward pass
    links=("https://github.com/linkedin/Liger-Kernel#kernels",),
)
def cross_entropy(logits, target, **options):
    """liger_kernel.transformers.LigerCrossEntropyLoss"""
    if INTERPRETED and len(logits) > MOST_ROWS:
        raise Unsupported(f"interpreted, {MOST_ROWS:,} rows take seconds: no more are asked")
    if target.shape != logits.shape[:1]:
        raise Unsupported("it does not compare shapes, and reads beyond the end of the labels")
    return LigerCrossEntropyLoss(**options)(logits, target)
