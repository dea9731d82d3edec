"""flash-attention's loss, in Triton; without a GPU by Triton's interpreter.

Its file is run by itself, for the package around it imports compiled CUDA code; and the device that
it makes CUDA's current one is, without a GPU, none.
"""

import os
from contextlib import nullcontext
from importlib.metadata import distribution
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

import torch

from conformance import Unsupported, implementation

MOST_ROWS = 3_000  # the interpreter takes a millisecond or more for each
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not (INTERPRETED or torch.cuda.is_available()):
    raise RuntimeError("Triton needs a GPU: without one, set TRITON_INTERPRET=1")

FILE = distribution("flash-attn").locate_file("flash_attn/ops/triton/cross_entropy.py")
spec = spec_from_file_location("flash_attn_cross_entropy_kernels", FILE)
kernels = module_from_spec(spec)
spec.loader.exec_module(kernels)
if not torch.cuda.is_available():
    no_cuda = {"cuda": SimpleNamespace(device=nullcontext)}
    kernels.torch = SimpleNamespace(**vars(torch) | no_cuda)


@implementation(
    "flash-attn-cross-entropy",
    framework="torch",
    distribution="flash-attn",
    dtypes=("float32",),
    devices=("cpu", "cuda") if INTERPRETED else ("cuda",),
    reductions=("none",),
    derivatives=(),  # a kernel that can be differentiated once
    links=(
        "https://github.com/Dao-AILab/flash-attention/blob/v2.8.3/flash_attn/ops/triton/cross_entropy.py",
    ),
)
def cross_entropy(logits, target, *, ignore_index=-100, label_smoothing=0.0):
    """flash_attn.ops.triton.cross_entropy.cross_entropy_loss"""
    if INTERPRETED and len(logits) > MOST_ROWS:
        raise Unsupported(f"interpreted, {MOST_ROWS:,} rows take seconds: no more are asked")
    return kernels.cross_entropy_loss(
        logits, target, ignore_index=ignore_index, label_smoothing=label_smoothing
    )[0]
