"""The loss written in autograd.numpy, and its derivatives by autograd."""

import autograd.numpy as np
from autograd import make_jvp, make_vjp

from conformance import Unsupported, implementation


@implementation(
    "autograd-log-softmax",
    distribution="autograd",
    dtypes=("float64", "float32"),
    reductions=("none",),
    links=("https://github.com/HIPS/autograd/blob/master/docs/tutorial.md",),
)
def cross_entropy(logits, target):
    """max, exp, sum and log of autograd.numpy, picked at the target"""
    if (target < 0).any():  # which NumPy would count from the last class
        raise Unsupported("it knows no targets: NumPy picks them, and takes -1 for the last class")
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -log_p[np.arange(len(target)), target]


@cross_entropy.vjp
def vjp(cotangent, logits, target):
    pull, _ = make_vjp(cross_entropy.function)(logits, target)
    return pull(cotangent)


@cross_entropy.jvp
def _(tangent, logits, target):
    _, along = make_jvp(cross_entropy.function)(logits, target)(tangent)
    return along


@cross_entropy.hvp
def _(cotangent, tangent, logits, target):
    pull, _ = make_vjp(vjp, argnum=1)(cotangent, logits, target)
    return pull(tangent)
