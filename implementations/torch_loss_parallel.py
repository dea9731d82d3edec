"""PyTorch's loss of a DTensor whose classes are shared out over two processes (gloo).

With one class the second process has none, raises, and leaves the first waiting; of logits
(N, C, 0) a reshape never ends (docs/findings.md shows both): neither is asked here.
"""

import sys
from pathlib import Path

from conformance import Unsupported, implementation

sys.path.append(str(Path(__file__).with_name("distributed")))

import loss_parallel
from two_ranks import together


@implementation(
    "torch-loss-parallel",
    framework="torch",
    distribution="torch",
    dtypes=("float64",),
    shapes=("batched", "unbatched", "spatial"),
    options=("weight", "ignore_index", "reduction"),
    derivatives=(),  # the backward pass is the only one that is documented
    links=("https://docs.pytorch.org/docs/stable/distributed.tensor.parallel.html",),
)
def cross_entropy(logits, target, **options):
    """torch.distributed.tensor.parallel.loss_parallel, on two processes"""
    do_not_wait_for(logits)
    return together(loss_parallel.loss, logits, target, **options)


@cross_entropy.vjp
def gradient(cotangent, logits, target, **options):
    do_not_wait_for(logits)
    return together(loss_parallel.gradient, cotangent, logits, target, **options)


def do_not_wait_for(logits):
    if logits.shape[min(1, logits.ndim - 1)] == 1:
        raise Unsupported("the second process has no class, raises, and leaves the first waiting")
    if logits.ndim > 2 and not logits.numel():
        raise Unsupported("a DTensor of logits without positions is reshaped for ever")
