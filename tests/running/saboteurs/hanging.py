"""Implementations that never answer."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal

from saboteur import before, declare

from conformance import implementation

LONG = 10**6  # seconds


def loop() -> None:
    for _ in itertools.count():
        pass


def loop_unmoved() -> None:
    """Loop whatever signal comes."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    loop()


def shout() -> None:
    """Print for ever."""
    while True:
        os.write(1, b"I am still busy\n" * 4096)


hang = implementation("hang", **declare)(before(loop, "timeout", "a call took more than"))
hang_in_c = implementation("hang-in-c", **declare)(
    before(lambda: ctypes.CDLL(None).sleep(LONG), "timeout", "a call took more than")
)
hang_with_the_interpreter = implementation("hang-with-the-interpreter", **declare)(
    before(lambda: ctypes.PyDLL(None).sleep(LONG), "timeout", "a call took more than")
)
hang_unmoved = implementation("hang-unmoved", **declare)(
    before(loop_unmoved, "timeout", "a call took more than")
)
shouting = implementation("shouting", **declare)(before(shout, "timeout", "a call took more than"))
