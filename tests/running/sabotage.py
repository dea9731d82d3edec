"""Adapters that do something terrible in float64, once past smoke, and are right in float32."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance import implementation

declare = {"dtypes": ("float64", "float32"), "reductions": ("none",)}


def right(logits: Any, target: Any) -> Any:
    top = logits.max(1, keepdims=True)
    shifted = logits - top
    rows = np.arange(len(target))
    return np.log(np.exp(shifted).sum(1)) - shifted[rows, target]


def unless_smoked(deed: Callable[[], object]) -> Callable[[Any, Any], Any]:
    """The right loss; in float64, for any shape but the one that smoke asks, the deed first."""

    def loss(logits: Any, target: Any) -> Any:
        if logits.dtype == np.float64 and logits.shape != (3, 4):
            deed()
        return right(logits, target)

    return loss


def fork_and_die() -> None:
    if os.fork() == 0:  # a child that keeps every pipe open
        time.sleep(60)
        os._exit(0)
    os.abort()


def write_to_every_pipe() -> None:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"who reads this?\n")
        except OSError:
            continue


def hang_with_the_interpreter() -> None:
    """Hang without letting any other Python thread run."""
    if pid := os.environ.get("SABOTAGE_PID"):
        Path(pid).write_text(str(os.getpid()))
    re.match(r"(a+)+$", "a" * 60 + "b")


def flood() -> None:
    sys.stdout.write("noise " * 200_000)
    os.write(2, b"\xff\x00 more noise\n" * 1000)


def take_memory() -> None:
    taken = []
    while True:
        taken.append(np.ones(2**24))
        time.sleep(0.01)


segfault = implementation("segfault", **declare)(unless_smoked(lambda: ctypes.string_at(0)))
leave = implementation("leave", **declare)(unless_smoked(lambda: os._exit(0)))
sys_exit = implementation("sys-exit", **declare)(unless_smoked(lambda: sys.exit(3)))
hang = implementation("hang", **declare)(unless_smoked(hang_with_the_interpreter))
noisy = implementation("noisy", **declare)(unless_smoked(flood))
mute = implementation("mute", **declare)(unless_smoked(lambda: os.closerange(0, 64)))
scribble = implementation("scribble", **declare)(unless_smoked(write_to_every_pipe))
forks = implementation("forks", **declare)(unless_smoked(fork_and_die))
greedy = implementation("greedy", **declare)(unless_smoked(take_memory))


@implementation("fragile", dtypes=("float32",), reductions=("none",))
def fragile(logits, target):
    """Dies of every question that is not smoke's."""
    if logits.shape != (3, 4):
        ctypes.string_at(0)
    return right(logits, target)


@implementation("dies-in-smoke", **declare)
def dies_in_smoke(logits, target):
    print("I cannot go on")
    os.abort()


@implementation("wrong-shape", **declare)
def wrong_shape(logits, target):
    return right(logits, target)[:, None]


@implementation("only-elsewhere", devices=("cuda",), **declare)
def only_elsewhere(logits, target):
    return right(logits, target)
