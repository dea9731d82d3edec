"""Implementations that raise what nobody catches."""

from __future__ import annotations

import sys
from collections.abc import Callable

from saboteur import before, declare

from conformance import implementation


class Unheard(BaseException):
    """Not an Exception."""


class Rude(Exception):
    """Will not say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def throw(error: BaseException) -> Callable[[], None]:
    def deed() -> None:
        raise error

    return deed


def recurse() -> None:
    recurse()


interrupts = implementation("interrupts", **declare)(
    before(throw(KeyboardInterrupt()), "error", "KeyboardInterrupt()")
)
sys_exit = implementation("sys-exit", **declare)(
    before(lambda: sys.exit(3), "error", "SystemExit(3)")
)
unheard = implementation("unheard", **declare)(before(throw(Unheard("ha")), "error", "Unheard"))
rude = implementation("rude", **declare)(before(throw(Rude()), "error", "no"))
endless_recursion = implementation("endless-recursion", **declare)(
    before(recurse, "fail", "RecursionError")
)
long_words = implementation("long-words", **declare)(
    before(throw(ValueError("\udce4 \x00 <b>" * 10**6)), "fail", "ValueError")
)
