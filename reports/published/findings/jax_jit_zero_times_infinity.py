"""Compiled, a one-hot 0 times infinity is 0; without jit it is NaN, as IEEE 754 has it."""

import sys

import jax
import jax.numpy as jnp

logits, row = jnp.array([1.0, -jnp.inf, 2.0]), lambda: jax.nn.one_hot(0, 3)
expected = float(-(row() * jax.nn.log_softmax(logits)).sum())
got = float(jax.jit(lambda x: -(row() * jax.nn.log_softmax(x)).sum())(logits))
print(f"got {got}, expected {expected}")
sys.exit(got != got)
