"""Labels of another shape are broadcast: a forgotten row, or class, goes unnoticed."""

import sys

import jax.numpy as jnp
import optax

logits = jnp.zeros((3, 3))
dense = optax.losses.softmax_cross_entropy(logits, jnp.array([[1.0], [0.0], [0.0]]))
sparse = optax.losses.softmax_cross_entropy_with_integer_labels(logits, jnp.array([0]))
print(f"got {dense} and {sparse}, expected errors")
sys.exit(not dense.shape == sparse.shape == (3,))
