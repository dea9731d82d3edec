"""Adapters that take a label out of range in different ways, each right about all others."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from conformance import Unsupported, implementation

declare: dict[str, Any] = {"dtypes": ("float32",), "reductions": ("none",)}


def right(logits: Any, target: Any) -> Any:
    shifted = logits - logits.max(1, keepdims=True)
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(target)), target]


def wrong(logits: Any, target: Any) -> bool:
    return bool(((target < 0) | (target >= logits.shape[1])).any())


@implementation("aborts", **declare)
def aborts(logits, target):
    if wrong(logits, target):
        print("assertion failed: label < classes", flush=True)
        os.abort()
    return right(logits, target)


@implementation("refuses", **declare)
def refuses(logits, target):
    if wrong(logits, target):
        raise IndexError("a label is out of range")
    return right(logits, target)


@implementation("declines", **declare)
def declines(logits, target):
    if wrong(logits, target):
        raise Unsupported("labels out of range have no place in its file format")
    return right(logits, target)


@implementation("accepts", **declare)
def accepts(logits, target):
    return right(logits, target % logits.shape[1])


poisoned = False


@implementation("poisons", **declare)
def poisons(logits, target):
    """As a CUDA context does after a device-side assert: it answers nothing any more."""
    global poisoned
    poisoned = poisoned or wrong(logits, target)
    if poisoned:
        raise RuntimeError("device-side assert triggered")
    return right(logits, target)
