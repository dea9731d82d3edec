"""PyTorch's loss, compiled by Inductor with dynamic sizes.

Compiling takes seconds for each dtype, memory layout and kind of size, so that little is declared
here.  Nothing falls back to eager PyTorch: a graph break or too many recompilations raise.
"""

import os
import shutil

import torch
import torch.nn.functional as F

from conformance import implementation

if not shutil.which(os.environ.get("CXX", "g++")):
    raise RuntimeError("torch.compile needs a C++ compiler: install g++, or name one in CXX")
torch._dynamo.config.accumulated_recompile_limit = 4096  # what is refused while tracing counts too


@implementation(
    "torch-compile",
    framework="torch",
    distribution="torch",
    dtypes=("float32", "bfloat16"),
    devices=("cpu", "cuda"),
    reductions=("none",),
    derivatives=(),  # a compiled function can be differentiated once
    links=(
        "https://docs.pytorch.org/docs/stable/generated/torch.compile.html",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html",
    ),
)
@torch.compile(dynamic=True, fullgraph=True, recompile_limit=1024)
def cross_entropy(logits, target, *, ignore_index=-100):
    """torch.compile of torch.nn.functional.cross_entropy"""
    return F.cross_entropy(logits, target, ignore_index=ignore_index, reduction="none")
