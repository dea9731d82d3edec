"""Chainer's softmax cross-entropy: python chainer_loss.py, or with weighted, or with double."""

import platform
import sys

import chainer
import chainer.functions as F
import numpy as np
from harness import serve

WEIGHTED, DOUBLE = "weighted" in sys.argv, "double" in sys.argv
REDUCE = {"none": "no", "mean": "mean"}


def cross_entropy(x, target, weight=None, ignore_index=-100, reduction="mean"):
    return F.softmax_cross_entropy(
        x,
        target,
        class_weight=weight,
        ignore_label=ignore_index,
        reduce="no" if WEIGHTED else REDUCE.get(reduction, reduction),
        enable_double_backprop=DOUBLE,
    )


def pulled_back(y, x, cotangent):
    """The cotangent of y, pulled back to x."""
    (g,) = chainer.grad([y], [x], [chainer.Variable(cotangent)], enable_double_backprop=DOUBLE)
    return g


def loss(arrays, options):
    return cross_entropy(arrays["logits"], arrays["target"], arrays.get("weight"), **options).array


def gradient(arrays, options):
    x = chainer.Variable(arrays["logits"])
    y = cross_entropy(x, arrays["target"], arrays.get("weight"), **options)
    return pulled_back(y, x, arrays["cotangent"]).array


def hvp(arrays, options):
    x = chainer.Variable(arrays["logits"])
    y = cross_entropy(x, arrays["target"], arrays.get("weight"), **options)
    g = pulled_back(y, x, arrays["cotangent"])
    return pulled_back(g, x, arrays["tangent"]).array


def stage(function):
    def answer(arrays, options):
        x = chainer.Variable(arrays["logits"])
        y = function(x, axis=1)
        return pulled_back(y, x, arrays["cotangent"]).array if "cotangent" in arrays else y.array

    return answer


softmax, log_softmax = stage(F.softmax), stage(F.log_softmax)
capabilities = {
    "dtypes": ["float64", "float32", "float16"],
    "target_dtypes": ["int64", "int32"],
    "shapes": ["batched", "spatial"],
    "gradient": True,
    "options": ["weight", "ignore_index"] if WEIGHTED else ["ignore_index", "reduction"],
    "reductions": ["none"] if WEIGHTED else ["none", "mean"],
}
if DOUBLE:
    capabilities.update(derivatives=["hvp"])
elif not WEIGHTED:
    capabilities.update(
        targets=["indices", "probabilities"],
        stages=["softmax", "log_softmax"],
        stage_gradients=True,
    )
versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
serve(
    {
        "name": "-".join(["chainer", *(sys.argv[1:] or ["softmax-cross-entropy"])]),
        "framework": "chainer",
        "distribution": "chainer",
        "version": chainer.__version__,
        "description": f"chainer.functions.softmax_cross_entropy, in {versions}",
        "links": [
            "https://docs.chainer.org/en/v7.8.1/reference/generated/"
            "chainer.functions.softmax_cross_entropy.html"
        ],
        "capabilities": capabilities,
    },
    loss=loss,
    gradient=gradient,
    hvp=hvp,
    softmax=softmax,
    softmax_vjp=softmax,
    log_softmax=log_softmax,
    log_softmax_vjp=log_softmax,
)
