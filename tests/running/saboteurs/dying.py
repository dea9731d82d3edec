"""Implementations that take their process with them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

from saboteur import before, declare

from conformance import implementation


def fork_and_die() -> None:
    if os.fork() == 0:  # a child that keeps every pipe open
        time.sleep(60)
        os._exit(0)
    os.abort()


def overflow_the_stack() -> None:
    """Recursion through C, beyond what the interpreter watches."""
    sys.setrecursionlimit(10**9)
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    two = (ctypes.c_int * 2)(2, 1)

    @compare
    def deeper(a: int, b: int) -> int:
        ctypes.CDLL(None).qsort(two, 2, 4, deeper)
        return 0

    deeper(0, 0)


segfault = implementation("segfault", **declare)(
    before(lambda: ctypes.string_at(0), "crash", "killed by SIGSEGV")
)
abort = implementation("abort", **declare)(before(os.abort, "crash", "killed by SIGABRT"))
leave = implementation("leave", **declare)(
    before(lambda: os._exit(0), "crash", "exited with status 0")
)
forks_and_dies = implementation("forks-and-dies", **declare)(
    before(fork_and_die, "crash", "killed by SIGABRT")
)
kill_group = implementation("kill-group", **declare)(
    before(lambda: os.killpg(0, signal.SIGKILL), "crash", "killed by SIGKILL")
)
stack_overflow = implementation("stack-overflow", **declare)(
    before(overflow_the_stack, "crash", "killed by SIG")
)
