"""The product of JAX's one-hot rows and log-softmax, summed.

XLA compiles each shape and dtype anew: one dtype here, another in ``jax-one-hot-jit``.
"""

import jax

from conformance import implementation


@implementation(
    "jax-one-hot",
    framework="jax",
    distribution="jax",
    dtypes=("float64",),
    devices=("cpu", "cuda"),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    target_dtypes=("int64", "int32"),
    links=(
        "https://docs.jax.dev/en/latest/_autosummary/jax.nn.one_hot.html",
        "https://docs.jax.dev/en/latest/_autosummary/jax.nn.log_softmax.html",
    ),
)
def cross_entropy(logits, target):
    """jax.nn.one_hot times jax.nn.log_softmax, summed"""
    one_hot = jax.nn.one_hot(target, logits.shape[-1], dtype=logits.dtype)
    return -(one_hot * jax.nn.log_softmax(logits)).sum(axis=-1)
