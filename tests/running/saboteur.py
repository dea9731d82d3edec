"""What the adapters in ``saboteurs/`` have in common: they are right in float32, and in float64
they do something terrible, once past smoke.  Each says what its float64 cells must say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Loss = Callable[[Any, Any], Any]

declare = {"dtypes": ("float64", "float32"), "reductions": ("none",)}


@dataclass(frozen=True)
class Expected:
    """What the float64 cells of a saboteur say."""

    outcome: str
    says: str = ""
    """Part of what every cell says that does not pass."""
    but: Mapping[str, str] = field(default_factory=dict)
    """Outcomes of properties where it is another one."""


def expects(outcome: str, says: str = "", **but: str) -> Callable[[Loss], Loss]:
    """Note on a loss what its cells must say; ``but`` has other outcomes, by_property."""
    named = {slug.replace("_", "-"): other for slug, other in but.items()}

    def note(loss: Loss) -> Loss:
        loss.expected = Expected(outcome, says, named)  # type: ignore[attr-defined]
        return loss

    return note


def right(logits: Any, target: Any) -> Any:
    top = logits.max(1, keepdims=True)
    shifted = logits - top
    rows = np.arange(len(target))
    return np.log(np.exp(shifted).sum(1)) - shifted[rows, target]


def smoked(logits: Any) -> bool:
    """Whether smoke asks, or the dtype is the one in which saboteurs behave."""
    return bool(logits.dtype != np.float64 or logits.shape == (3, 4))


def before(deed: Callable[[], object], outcome: str, says: str = "", **but: str) -> Loss:
    """The deed, then the right answer."""

    @expects(outcome, says, **but)
    def loss(logits: Any, target: Any) -> Any:
        if not smoked(logits):
            deed()
        return right(logits, target)

    return loss


def instead(answer: Loss, outcome: str, says: str = "", **but: str) -> Loss:
    """Another answer than the right one."""

    @expects(outcome, says, **but)
    def loss(logits: Any, target: Any) -> Any:
        return (right if smoked(logits) else answer)(logits, target)

    return loss


def once(deed: Callable[[], object]) -> Callable[[], None]:
    """The deed at the first call in a process, and never again."""
    done = []

    def first() -> None:
        if not done:
            done.append(None)
            deed()

    return first
