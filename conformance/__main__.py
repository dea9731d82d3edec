"""``python -m conformance``, and the command ``conformance``."""

from __future__ import annotations

import os
import signal
from types import FrameType


def main() -> None:
    """Run the command line.  Until it is imported, which takes a moment, Ctrl-C ends the process at
    once: nothing is begun, and an exception might be lost in the import of a C extension."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    from conformance.cli import main as commands

    commands(prog_name="conformance")


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, b"Interrupted.\n")
    os._exit(128 + number)


if __name__ == "__main__":
    main()
