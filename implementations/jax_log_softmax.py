"""JAX's log-softmax, and the target picked from it.  JAX has no loss of its own.

XLA compiles each shape and dtype anew: one dtype here, another in ``jax-log-softmax-jit``.
"""

import jax
import jax.numpy as jnp

from conformance import implementation


@implementation(
    "jax-log-softmax",
    framework="jax",
    distribution="jax",
    dtypes=("float16",),
    devices=("cpu", "cuda"),
    shapes=("batched", "unbatched"),
    reductions=("none",),
    target_dtypes=("int64", "int32"),
    links=(
        "https://docs.jax.dev/en/latest/_autosummary/jax.nn.log_softmax.html",
        "https://docs.jax.dev/en/latest/_autosummary/jax.numpy.take_along_axis.html",
    ),
)
def cross_entropy(logits, target):
    """jax.nn.log_softmax, picked by jnp.take_along_axis"""
    log_p = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(log_p, target[..., None], axis=-1)[..., 0]
