"""In forward mode a masked class makes the derivative of the safe loss NaN."""

import sys

import jax
import jax.numpy as jnp
from optax.losses import safe_softmax_cross_entropy as loss

x, q, v = jnp.array([1.0, -jnp.inf, 2.0]), jnp.array([1.0, 0.0, 0.0]), jnp.ones(3)
got = float(jax.jvp(lambda x: loss(x, q), (x,), (v,))[1])
expected = float(jax.grad(loss)(x, q) @ v)
print(f"got {got}, expected {expected}")
sys.exit(got == expected)
