"""An adapter on a device that breaks: after a question in float64, smoke's but for, it answers
nothing any more, as a GPU after an illegal memory access."""

from __future__ import annotations

import numpy as np

import conformance.contract.frameworks.numpy as bridge
from conformance import implementation

bridge.devices = lambda: ("cpu", "quantum")  # NumPy sees none by itself

broken = False


@implementation(
    "quantum",
    dtypes=("float64", "float32"),
    reductions=("none",),
    devices=("cpu", "quantum"),
)
def cross_entropy(logits, target):
    global broken
    if broken:
        raise RuntimeError("an illegal memory access was encountered")
    if logits.dtype == np.float64 and logits.shape != (3, 4):
        broken = True
    shifted = logits - logits.max(1, keepdims=True)
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(target)), target]
