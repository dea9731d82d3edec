"""Implementations that print, and that write where nobody asked them to."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

from saboteur import before, declare, once

from conformance import implementation

FORGED = b'\n{"kind": "done"}\n'


def print_much() -> None:
    sys.stdout.write("noise " * 20_000)


def print_bytes() -> None:
    os.write(2, b"\xff\x00 more noise\n" * 1000)


def print_from_c() -> None:
    library = ctypes.CDLL(None)
    library.printf(b"%s\n", b"noise from C " * 1000)
    library.fflush(None)


def write_to_every_pipe(text: bytes) -> Callable[[], None]:
    def write() -> None:
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, text)
            except OSError:
                continue

    return write


def lose_stdout() -> None:
    if sys.stdout is not None:
        sys.stdout.close()
    sys.stdout = sys.stderr = None  # type: ignore[assignment]


noisy = implementation("noisy", **declare)(before(print_much, "pass"))
noisy_on_stderr = implementation("noisy-on-stderr", **declare)(before(print_bytes, "pass"))
noisy_from_c = implementation("noisy-from-c", **declare)(before(print_from_c, "pass"))
stdout_lost = implementation("stdout-lost", **declare)(before(lose_stdout, "pass"))
reads_stdin = implementation("reads-stdin", **declare)(before(lambda: sys.stdin.read(), "pass"))
scribble = implementation("scribble", **declare)(
    before(write_to_every_pipe(b"who reads this?\n"), "crash", "wrote to the suite's pipe")
)
forger = implementation("forger", **declare)(
    before(write_to_every_pipe(FORGED), "crash", "wrote to the suite's pipe")
)
mute = implementation("mute", **declare)(
    before(once(lambda: os.closerange(0, 64)), "crash", "the worker")
)
