"""The loss of autograd's log-sum-exp, and its derivatives by autograd."""

import numpy as np
from autograd import make_jvp, make_vjp
from autograd.scipy.special import logsumexp

from conformance import Unsupported, implementation


@implementation(
    "autograd-logsumexp",
    distribution="autograd",
    dtypes=("float64", "float32"),
    reductions=("none",),
    links=(
        "https://github.com/HIPS/autograd/blob/master/docs/tutorial.md",
        "https://github.com/HIPS/autograd/blob/master/autograd/scipy/special.py",
    ),
)
def cross_entropy(logits, target):
    """autograd.scipy.special.logsumexp, less the logit of the target"""
    if (target < 0).any():  # which NumPy would count from the last class
        raise Unsupported("it knows no targets: NumPy picks them, and takes -1 for the last class")
    return logsumexp(logits, axis=1) - logits[np.arange(len(target)), target]


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
