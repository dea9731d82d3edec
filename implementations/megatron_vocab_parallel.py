"""Megatron's loss, the classes shared out over two processes (gloo), to each as many.

To an odd number of classes one is added that is masked.  Megatron's smoothing is what all classes
but the target get together: of torch's e it is e (C - 1) / C.
"""

import sys
from pathlib import Path

from torch.nn.functional import pad

from conformance import Unsupported, implementation

sys.path.append(str(Path(__file__).with_name("distributed")))

import vocab_parallel
from two_ranks import together


@implementation(
    "megatron-vocab-parallel",
    framework="torch",
    distribution="megatron-core",
    dtypes=("float32",),
    reductions=("none",),
    derivatives=(),  # it can be differentiated once
    links=(
        "https://docs.nvidia.com/megatron-core/developer-guide/latest/apidocs/core/"
        "core.tensor_parallel.cross_entropy.html",
    ),
)
def cross_entropy(logits, target, *, label_smoothing=0.0):
    """megatron.core.tensor_parallel.vocab_parallel_cross_entropy, on two processes"""
    even, smoothing = in_its_terms(logits, label_smoothing)
    return together(vocab_parallel.loss, even, target, smoothing)


@cross_entropy.vjp
def gradient(cotangent, logits, target, *, label_smoothing=0.0):
    even, smoothing = in_its_terms(logits, label_smoothing)
    whole = together(vocab_parallel.gradient, cotangent, even, target, smoothing)
    return whole[:, : logits.shape[1]]


def in_its_terms(logits, label_smoothing):
    classes = logits.shape[1]
    if classes % 2 and label_smoothing:
        raise Unsupported("a masked class cannot be given a part of the smoothing")
    return pad(logits, (0, classes % 2), value=-float("inf")), label_smoothing * (1 - 1 / classes)
