"""Two right adapters, which wait before their first question in float32 as long as ``HOLD`` names a
file: they make it, so that whoever waits for this moment sees it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from conformance import implementation

declare = {"dtypes": ("float64", "float32"), "reductions": ("none",)}


def loss_of(logits: Any, target: Any) -> Any:
    held = os.environ.get("HOLD")
    if held and logits.dtype == np.float32 and logits.shape != (3, 4):  # which smoke asks
        Path(held).touch()
        time.sleep(600)
    shifted = logits - logits.max(1, keepdims=True)
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(target)), target]


@implementation("first", **declare)
def first(logits: Any, target: Any) -> Any:
    return loss_of(logits, target)


@implementation("second", **declare)
def second(logits: Any, target: Any) -> Any:
    return loss_of(logits, target) * (np.float32(1) if logits.shape[0] % 2 else 1)
