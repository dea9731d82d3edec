"""Implementations that answer with something that is no answer."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from saboteur import declare, expects, instead, right, smoked

from conformance import implementation


class Hostile(np.ndarray):
    """An array that resists."""

    def __array_finalize__(self, other: Any) -> None:
        if type(other) is Hostile:
            raise RuntimeError("do not touch me")

    def __eq__(self, other: object) -> Any:
        raise RuntimeError("I am like nobody")

    def __array_ufunc__(self, *arguments: Any, **options: Any) -> Any:
        raise RuntimeError("do not compute with me")

    def __array_function__(self, *arguments: Any, **options: Any) -> Any:
        raise RuntimeError("do not compute with me")


def in_place(logits: Any, target: Any) -> Any:
    """The loss, in the memory of the logits."""
    loss = right(logits, target)
    logits[:, 0] = loss
    return logits[:, 0]


_buffer = np.empty(10**6)


def in_a_buffer(logits: Any, target: Any) -> Any:
    """The loss, in a buffer that the next call overwrites."""
    loss = _buffer[: len(target)]
    loss[...] = right(logits, target)
    return loss


_asked = itertools.count()


wrong_shape = implementation("wrong-shape", **declare)(
    instead(
        lambda x, y: right(x, y)[:, None], "pass", "shape", loss_formula="fail", repeatable="fail"
    )
)
wrong_dtype = implementation("wrong-dtype", **declare)(
    instead(lambda x, y: right(x, y).astype(np.float32), "pass", "should be", loss_formula="fail")
)
integers = implementation("integers", **declare)(
    instead(lambda x, y: np.zeros(len(y), int), "pass", "should be", loss_formula="fail")
)
objects = implementation("objects", **declare)(
    instead(
        lambda x, y: np.array([object()] * len(y)),
        "error",
        "not 'object'",
        inputs_are_not_modified="pass",
        global_state_untouched="pass",
    )
)
nothing = implementation("nothing", **declare)(
    instead(
        lambda x, y: None,
        "error",
        "returned NoneType where an array belongs",
        inputs_are_not_modified="pass",
        global_state_untouched="pass",
    )
)
no_array = implementation("no-array", **declare)(
    instead(
        lambda x, y: object(),
        "error",
        "returned object where an array belongs",
        inputs_are_not_modified="pass",
        global_state_untouched="pass",
    )
)
hostile_array = implementation("hostile-array", **declare)(
    instead(lambda x, y: right(x, y).view(Hostile), "pass")
)
buffered = implementation("buffered", **declare)(instead(in_a_buffer, "pass"))
writes_to_its_input = implementation("writes-to-its-input", **declare)(
    instead(in_place, "pass", inputs_are_not_modified="fail")
)


@implementation("flaky", **declare)
@expects("pass", "answer", loss_formula="flaky", repeatable="fail")
def flaky(logits, target):
    """Right every other time."""
    return right(logits, target) + (0 if smoked(logits) else next(_asked) % 2)
