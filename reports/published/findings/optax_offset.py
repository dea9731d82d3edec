"""With an offset, the loss of integer labels loses digits that log_softmax keeps."""

import sys

import jax
import jax.numpy as jnp
from optax.losses import softmax_cross_entropy_with_integer_labels as loss

logits = jnp.array([1e6 + 10, 1e6], jnp.float32)
got, expected = float(loss(logits, 0)), float(-jax.nn.log_softmax(logits)[0])
print(f"got {got}, expected {expected}")
sys.exit(got == expected)
