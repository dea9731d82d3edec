"""MXNet's losses: python mxnet_loss.py gluon, or mxnet_loss.py operator."""

import platform
import sys

import mxnet as mx
import numpy as np
from harness import serve
from mxnet import autograd, gluon, nd

GLUON = "gluon" in sys.argv


def array(values):
    return nd.array(values, dtype=values.dtype)


def cross_entropy(x, target):
    if not GLUON:  # which takes labels of the logits' dtype alone
        return nd.softmax_cross_entropy(x, nd.array(target, dtype=x.dtype))
    sparse = target.dtype.kind != "f"
    return gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=sparse)(x, array(target))


def answer(function):
    """An answer of function(x, arrays), or its gradient where there is a cotangent."""

    def ask(arrays, options):
        x = array(arrays["logits"])
        if "cotangent" not in arrays:
            return function(x, arrays).asnumpy()
        x.attach_grad()
        with autograd.record():
            y = function(x, arrays)
        y.backward(array(arrays["cotangent"].reshape(y.shape)))
        return x.grad.asnumpy()

    return ask


def loss(arrays, options):
    found = cross_entropy(array(arrays["logits"]), arrays["target"]).asnumpy()
    return found if GLUON else found.reshape(())  # (1,) stands for a scalar in MXNet


gradient = answer(lambda x, arrays: cross_entropy(x, arrays["target"]))
softmax = answer(lambda x, arrays: nd.softmax(x, axis=1))
log_softmax = answer(lambda x, arrays: nd.log_softmax(x, axis=1))
capabilities = {
    "dtypes": ["float64", "float32", "float16"],
    "target_dtypes": ["int64", "int32"],
    "options": [],
    "gradient": True,
    "reductions": ["none"] if GLUON else ["sum"],
}
if GLUON:
    capabilities.update(
        targets=["indices", "probabilities"],
        stages=["softmax", "log_softmax"],
        stage_gradients=True,
    )
function = "mxnet.gluon.loss.SoftmaxCrossEntropyLoss" if GLUON else "mx.nd.softmax_cross_entropy"
api = "https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/"
versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
serve(
    {
        "name": "mxnet-gluon" if GLUON else "mxnet-operator",
        "framework": "mxnet",
        "distribution": "mxnet",
        "version": mx.__version__,
        "description": f"{function}, in {versions}",
        "links": [api + ("gluon/loss/index.html" if GLUON else "legacy/ndarray/ndarray.html")],
        "capabilities": capabilities,
    },
    loss=loss,
    gradient=gradient,
    softmax=softmax,
    softmax_vjp=softmax,
    log_softmax=log_softmax,
    log_softmax_vjp=log_softmax,
)
