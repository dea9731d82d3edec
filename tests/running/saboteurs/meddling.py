"""Implementations that change the world around them."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
import os
import platform
import random
import signal
import sys
import tempfile
import warnings
from typing import Any

import numpy as np
from saboteur import before, declare, instead, right

from conformance import implementation


def delete_the_current_folder() -> None:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.rmdir(folder)


def change_the_environment() -> None:
    os.environ.clear()
    os.environ["HOME"] = "/nowhere"


def expect_nothing() -> None:
    """Settings that make other people's code fail, or slow."""
    warnings.simplefilter("error")
    gc.disable()
    sys.setrecursionlimit(10**6)
    sys.path.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def reseed() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002


def round_towards_zero(logits: Any, target: Any) -> Any:
    loss = right(logits, target)
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.fesetround(0xC00000 if platform.machine() in ("aarch64", "arm64") else 0xC00)
    return loss


folder_deleted = implementation("folder-deleted", **declare)(
    before(
        delete_the_current_folder, "pass", "the working directory", global_state_untouched="fail"
    )
)
environment = implementation("environment", **declare)(
    before(change_the_environment, "pass", "os.environ", global_state_untouched="fail")
)
settings = implementation("settings", **declare)(
    before(expect_nothing, "pass", "the warnings filters", global_state_untouched="fail")
)
reseeds = implementation("reseeds", **declare)(
    before(reseed, "pass", "random state", global_state_untouched="fail")
)
rounding = implementation("rounding", **declare)(
    instead(round_towards_zero, "pass", "rounding", global_state_untouched="fail")
)
