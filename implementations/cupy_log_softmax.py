"""CuPy's log-softmax, and the target picked from it: on a GPU alone."""

import cupy
import cupyx.scipy.special

from conformance import Unsupported, implementation


@implementation(
    "cupy-log-softmax",
    framework="cupy",
    distribution="cupy",
    dtypes=("float64", "float32"),
    devices=("cuda",),
    reductions=("none",),
    links=(
        "https://docs.cupy.dev/en/stable/reference/generated/cupyx.scipy.special.log_softmax.html",
    ),
)
def cross_entropy(logits, target):
    """cupyx.scipy.special.log_softmax, picked at the target"""
    return -cupyx.scipy.special.log_softmax(logits, axis=1)[rows_and_columns(logits, target)]


@cross_entropy.vjp
def _(cotangent, logits, target):
    difference = cupyx.scipy.special.softmax(logits, axis=1)
    difference[rows_and_columns(logits, target)] -= 1
    return cotangent[:, None] * difference


def rows_and_columns(logits, target):
    """Indices of the targets' logits.  (CuPy would broadcast them, and wrap them around.)"""
    if target.shape != logits.shape[:1]:
        raise Unsupported("it knows no targets: CuPy picks them, and broadcasts their shape")
    if ((target < 0) | (target >= logits.shape[1])).any():
        raise Unsupported("it knows no targets: CuPy picks them, and wraps them around")
    return cupy.arange(len(target)), target
