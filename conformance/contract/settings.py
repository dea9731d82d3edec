"""The settings that a process shares: what a call must leave as it is, and how to put it back.

A setting that a framework may change once, when it is first used (a variable of the environment,
the number of threads), is marked so; a rounding mode, a seed or an error mode may never change.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import locale
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np


def from_to(before: Any, after: Any) -> str:
    """The change, for values that can be shown."""
    return f" from {before} to {after}"


def hidden(before: Any, after: Any) -> str:
    """The change of a value that is long, or nobody's business."""
    return ""


@dataclass(frozen=True)
class Setting:
    """One setting: how it is read, put back, and how a change is told."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    tell: Callable[[Any, Any], str] = from_to
    once: bool = False
    """Whether a framework may change it when it is first used."""
    rewound: bool = True
    """Whether it may be put back to what it was at first, while an implementation is asked."""


Settings = Mapping[str, Setting]


class Snapshot:
    """The values of some settings at one moment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._values = {name: setting.read() for name, setting in settings.items()}

    def changes(self, *, once: bool) -> list[str]:
        """What differs now and how, such as ``"the recursion limit from 1000 to 5000"``.

        ``once``: of the settings that may change once, or of those that may not.
        """
        asked = ((name, s) for name, s in self._settings.items() if s.once == once)
        now = [(name, setting, setting.read()) for name, setting in asked]
        return [
            name + setting.tell(self._values[name], value)
            for name, setting, value in now
            if value != self._values[name]
        ]

    def restore(self) -> None:
        """Put back what differs and can be put back.

        Beyond reach are signal handlers outside the main thread or not set from Python, the
        floating-point environment where there is no C library to ask, what a folder that is gone
        was, and a framework's seed where there was none.
        """
        for name, setting in self._settings.items():
            if setting.read() != self._values[name]:
                with suppress(OSError, ValueError, TypeError, RuntimeError, locale.Error):
                    setting.write(self._values[name])


# -- floating-point arithmetic ---------------------------------------------------------------------


@dataclass(frozen=True)
class FloatingPoint:
    """How this thread's processor rounds, and what it makes of subnormal numbers."""

    rounding: str
    flushes: bool
    """Subnormal results become 0."""
    reads_zero: bool
    """Subnormal arguments count as 0."""
    registers: bytes = field(compare=False, repr=False, default=b"")
    """What the C library needs to bring it back."""

    def __str__(self) -> str:
        flushed = ", flush-to-zero" * self.flushes + ", denormals-are-zero" * self.reads_zero
        return f"rounding {self.rounding}{flushed}"


_SMALLEST_NORMAL, _SMALLEST, _ONE = 2.0**-1022, 2.0**-1074, 1.0


def read_floating_point() -> FloatingPoint:
    """Seen by computing: the same on every processor."""
    tiny = _ONE / 2**60
    if _ONE + tiny > _ONE:
        rounding = "upward"
    elif -_ONE - tiny < -_ONE:
        rounding = "downward"
    else:
        rounding = "toward zero" if _ONE - tiny < _ONE else "to nearest"
    return FloatingPoint(
        rounding,
        flushes=_SMALLEST_NORMAL / 2 == 0,
        reads_zero=_SMALLEST * 2.0**1000 == 0,
        registers=_registers(),
    )


def restore_floating_point(found: FloatingPoint) -> None:
    """Bring it back by ``fesetenv``, where there is one."""
    if found.registers and (library := _libm()) is not None:
        library.fesetenv(found.registers)


@cache
def _libm() -> Any:
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(ctypes.util.find_library("m"))
        if library.fegetenv and library.fesetenv:
            return library
    return None


def _registers() -> bytes:
    """What ``fegetenv`` stores: a few dozen bytes on every platform known."""
    library = _libm()
    buffer = ctypes.create_string_buffer(256)
    return buffer.raw if library is not None and library.fegetenv(buffer) == 0 else b""


ARITHMETIC: Settings = {
    "the floating-point environment": Setting(read_floating_point, restore_floating_point),
    "NumPy's error mode": Setting(np.geterr, lambda mode: np.seterr(**mode)),
}
"""What the suite's own arithmetic stands on."""


@contextmanager
def arithmetic_kept() -> Iterator[None]:
    """Whatever is called inside, the arithmetic after it is that before it."""
    before = read_floating_point()
    try:
        with np.errstate():
            yield
    finally:
        if read_floating_point() != before:
            restore_floating_point(before)


# -- the process -----------------------------------------------------------------------------------


def _numpy_random() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    return name, np.asarray(keys).tobytes(), *rest


def _set_numpy_random(state: tuple[Any, ...]) -> None:
    name, keys, *rest = state
    np.random.set_state(  # noqa: NPY002
        (name, np.frombuffer(keys, np.uint32), *rest)
    )


def _folder() -> str | None:
    """The current folder; None where it is gone."""
    with suppress(OSError):
        return os.getcwd()
    return None


def _variables(before: dict[str, str], after: dict[str, str]) -> str:
    """Which variables differ: their values may be secrets."""
    names = sorted(n for n in {*before, *after} if before.get(n) != after.get(n))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f" in {', '.join(names[:3])}{more}"


def _set_variables(before: dict[str, str]) -> None:
    for name in {*os.environ} - {*before}:
        del os.environ[name]
    os.environ.update(before)


def _set_filters(before: list[Any]) -> None:
    warnings.resetwarnings()  # which makes modules forget what they have already warned of
    warnings.filters[:] = before  # type: ignore[index]


_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in _SIGNALS}


def _set_handlers(before: dict[int, Any]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _set_path(before: list[str]) -> None:
    sys.path[:] = before


_locale = partial(locale.setlocale, locale.LC_ALL)

PROCESS: Settings = {
    **ARITHMETIC,
    "NumPy's random state": Setting(_numpy_random, _set_numpy_random, hidden),
    "Python's random state": Setting(random.getstate, random.setstate, hidden),
    "the working directory": Setting(_folder, os.chdir),
    "os.environ": Setting(lambda: dict(os.environ), _set_variables, _variables, once=True),
    "the locale": Setting(_locale, _locale, once=True),
    "the warnings filters": Setting(lambda: [*warnings.filters], _set_filters, hidden, once=True),
    "sys.path": Setting(lambda: [*sys.path], _set_path, hidden, once=True),
    "the recursion limit": Setting(sys.getrecursionlimit, sys.setrecursionlimit, once=True),
    # Not rewound: somebody may wait for an alarm.
    "the signal handlers": Setting(_handlers, _set_handlers, hidden, once=True, rewound=False),
}
"""Those that every process has."""
