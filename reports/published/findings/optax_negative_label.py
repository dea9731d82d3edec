"""A label of -1 is the last class, and one beyond the classes has a gradient, though no loss."""

import sys

import jax
import jax.numpy as jnp
from optax.losses import softmax_cross_entropy_with_integer_labels as loss

logits = jnp.array([1.0, 2.0, 3.0])
last, beyond = float(loss(logits, jnp.array(-1))), float(loss(logits, jnp.array(7)))
gradient = jax.grad(loss)(logits, jnp.array(7))
print(f"got {last:.4f} and {beyond} with the gradient {gradient}, expected errors or NaN")
sys.exit(last != loss(logits, jnp.array(2)) or not jnp.isfinite(gradient).all())
