"""Apple's Cut Cross-Entropy in its form for torch.compile, with the identity for classifier.

Its Triton kernels take no tensors of the CPU, and Triton's interpreter does not know all they use.
"""

import torch
from cut_cross_entropy import linear_cross_entropy

from conformance import Unsupported, implementation

MOST_CLASSES = 20_000  # the identity has the square of them
torch._dynamo.config.recompile_limit = 1024
torch._dynamo.config.accumulated_recompile_limit = 4096


@implementation(
    "cut-cross-entropy-compiled",
    framework="torch",
    distribution="cut-cross-entropy",
    dtypes=("float32",),
    devices=("cpu", "cuda"),
    options=("ignore_index", "reduction"),
    derivatives=(),  # a compiled function can be differentiated once
    links=("https://github.com/apple/ml-cross-entropy",),
)
def cross_entropy(logits, target, **options):
    """cut_cross_entropy.linear_cross_entropy(impl="torch_compile"), with an identity"""
    if logits.shape[-1] > MOST_CLASSES:
        raise Unsupported(f"an identity for more than {MOST_CLASSES:,} classes is too large")
    identity = torch.eye(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return linear_cross_entropy(logits, identity, target, impl="torch_compile", **options)
