"""An adapter whose import changes how this process rounds, as a library does that was compiled for
speed alone."""

from __future__ import annotations

import ctypes
import ctypes.util
import os

import numpy as np

from conformance import implementation

UPWARD = {"x86_64": 0x800, "aarch64": 1 << 22}[os.uname().machine]
ctypes.CDLL(ctypes.util.find_library("m")).fesetround(UPWARD)


@implementation("rounds-at-import", dtypes=("float64",), reductions=("none",))
def cross_entropy(logits, target):
    shifted = logits - logits.max(1, keepdims=True)
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(target)), target]
