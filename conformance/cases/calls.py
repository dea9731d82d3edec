"""Ways of calling: the same question, asked so that a buffer or a size may go wrong.

Each makes of a function ``ask(logits, target, **options)``, or ``ask(cotangent, logits, target,
**options)``, another one of the same arguments.  Replay scripts quote them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Ask = Callable[..., Any]


def reused_buffer(ask: Ask) -> Ask:
    """Ask with logits that are written over those of an earlier call, their negatives."""

    def again(*arrays: Any, **options: Any) -> Any:
        *cotangent, logits, target = arrays
        buffer = -logits
        ask(*cotangent, buffer, target, **options)
        buffer[...] = logits
        return ask(*cotangent, buffer, target, **options)

    return again


def kept(ask: Ask) -> Ask:
    """Ask, and ask for the negated logits before the first answer is looked at."""

    def first(*arrays: Any, **options: Any) -> Any:
        *cotangent, logits, target = arrays
        answer = ask(*arrays, **options)
        ask(*cotangent, -logits, target, **options)
        return answer

    return first


def last_rows(ask: Ask, beyond: int = 2**31) -> Ask:
    """Ask for the rows again and again, more than ``beyond`` logits, and return the last ones."""

    def last(*arrays: Any, **options: Any) -> Any:
        *_, logits, _ = arrays
        repeats = beyond // logits.size + 1
        answer = ask(*(np.concatenate([array] * repeats) for array in arrays), **options)
        return answer[-len(logits) :]

    return last


WAYS = {"reused-buffer": reused_buffer, "kept": kept, "last-rows": last_rows}
"""By the names that questions use: ``kept gradient`` is the gradient asked in this way."""
