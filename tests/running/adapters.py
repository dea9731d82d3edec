"""Small adapters, right and wrong, for the tests of running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance import implementation
from conformance.contract.implementation import Implementation
from conformance.contract.session import Session, open_session

Loss = Callable[[Any, Any], Any]


def right(logits: Any, target: Any) -> Any:
    shifted = logits - logits.max(1, keepdims=True)
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(target)), target]


def capped(logits: Any, target: Any) -> Any:
    """No loss above 50."""
    return np.minimum(right(logits, target), 50).astype(logits.dtype)


def losing_one_percent(logits: Any, target: Any) -> Any:
    return (right(logits, target) * 0.99).astype(logits.dtype)


def refusing_ties(logits: Any, target: Any) -> Any:
    if logits.shape[1] > 1 and (logits == logits[:, :1]).all(1).any():
        raise ArithmeticError("all logits of a row are equal")
    return right(logits, target)


def alternating() -> Loss:
    """Wrong once, at the seventh question."""
    asked = []

    def loss(logits: Any, target: Any) -> Any:
        asked.append(None)
        return right(logits, target) + (1 if len(asked) == 7 else 0)

    return loss


def no_array(logits: Any, target: Any) -> Any:
    return right(logits, target).tolist()


def adapted(function: Loss, **declared: Any) -> Implementation:
    """An implementation that computes one loss a row, and takes no options."""
    declare: dict[str, Any] = {"dtypes": ("float32",), "reductions": ("none",)} | declared
    return implementation("planted", **declare)(function)


def session_of(function: Loss, **declared: Any) -> Session:
    return open_session(adapted(function, **declared))
