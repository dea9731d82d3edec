"""Ctrl-C, and the signal by which CI ends a job."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """Somebody wants the run to end."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.exit_code = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise ``Interrupted`` at the first SIGINT or SIGTERM, and ignore them until the process ends:
    what is done by then, ending the workers and closing the file, must not be left half done."""
    if threading.current_thread() is not threading.main_thread():  # where signals do not go
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in before:
            # Not a handler that does nothing: Python takes it off before its own end.
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        for number in before:
            signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is interrupt:
                signal.signal(number, handler)
