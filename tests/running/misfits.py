"""Adapters that exceed a limit, print, or leave something behind: in float64, once past smoke."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from conformance import implementation

SMOKE, CURVE = (3, 4), (1, 2)
"""The shapes in which smoke asks, and who measures a curve."""

declare = {"dtypes": ("float64", "float32"), "reductions": ("none",)}


def right(logits: Any, target: Any) -> Any:
    top = logits.max(1, keepdims=True)
    shifted = logits - top
    rows = np.arange(len(target))
    return np.log(np.exp(shifted).sum(1)) - shifted[rows, target]


def where(
    condition: Callable[[Any], bool], deed: Callable[[], object]
) -> Callable[[Any, Any], Any]:
    """The right loss; first the deed, for those float64 logits."""

    def loss(logits: Any, target: Any) -> Any:
        plain = logits.dtype != np.float64 or logits.shape in (SMOKE, CURVE)
        if not plain and condition(logits):
            deed()
        return right(logits, target)

    return loss


calls = count()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
stream = libc.fdopen(1, b"w")


def always(logits: Any) -> bool:
    return True


def several(logits: Any) -> bool:
    """What must survive in the smallest case: two rows, three classes, a number above 1."""
    return logits.shape[0] > 1 and logits.shape[1] > 2 and bool((logits > 1).any())


def hang() -> None:
    """Without letting any other thread of Python run, and deaf to what asks politely."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    re.match(r"(a+)+$", "a" * 60 + "b")


def die() -> None:
    ctypes.string_at(0)


def die_late() -> None:
    if next(calls) > 4:
        die()


def take_time() -> None:
    """More than a call may take, in calls that are short."""
    if next(calls) < 40:
        time.sleep(0.1)


def leave_a_daemon() -> None:
    """Twice forked, in a session of its own, with no pipe of the worker's."""
    if next(calls) < 3 and os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 64)
            while True:
                time.sleep(1)
        os._exit(0)


def feed_a_child() -> None:
    """Memory that the worker itself does not have."""
    code = "import time; x = bytearray(700 * 2**20); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    time.sleep(600)


def speak() -> None:
    """From Python, from C by a stream that nobody flushes, and from a child."""
    print("Python speaks")
    libc.fputs(b"C speaks\n", ctypes.c_void_p(stream))
    if next(calls) == 0:
        subprocess.run([sys.executable, "-S", "-c", "print('a child speaks')"])
    os.write(2, b"the error stream speaks\n")


def flood() -> None:
    print("first words")
    sys.stdout.write("noise " * 200_000)
    print("last words")


def say_and_die() -> None:
    print("I go now")
    os.abort()


@implementation("hangs-in-its-curve", **declare)
def hangs_in_its_curve(logits: Any, target: Any) -> Any:
    asked_by = (frame.name for frame in traceback.extract_stack())
    if logits[0, 0] > 700 and "measure_curve" in asked_by:
        hang()
    return right(logits, target)


hangs = implementation("hangs", **declare)(where(always, hang))
patient = implementation("patient", **declare)(where(always, take_time))
worn = implementation("worn", **declare)(where(lambda x: several(x) or next(calls) > 3, die))
fragile = implementation("fragile", **declare)(where(several, die))
tired = implementation("tired", **declare)(where(always, die_late))
daemons = implementation("daemons", **declare)(where(always, leave_a_daemon))
dying_daemons = implementation("dying-daemons", **declare)(
    where(always, lambda: (leave_a_daemon(), die()))
)
hanging_daemons = implementation("hanging-daemons", **declare)(
    where(always, lambda: (leave_a_daemon(), hang()))
)
feeds = implementation("feeds", **declare)(where(always, feed_a_child))
speaks = implementation("speaks", **declare)(where(always, speak))
floods = implementation("floods", **declare)(where(always, flood))
last_words = implementation("last-words", **declare)(where(always, say_and_die))
