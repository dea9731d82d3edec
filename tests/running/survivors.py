"""Who is still alive of those that a test started: found by a mark in their environment, which
every descendant inherits and none can take off."""

from __future__ import annotations

import os
import time
from pathlib import Path

MARK = "CONFORMANCE_TEST_MARK"


def alive(mark: str) -> dict[int, str]:
    """Process id -> command line, of all that were started with the mark."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue  # it is gone, or another's
        if f"{MARK}={mark}".encode() in environment and int(entry.name) != os.getpid():
            found[int(entry.name)] = command.decode("utf-8", "replace")[:200]
    return found


def survivors(mark: str, seconds: float = 5) -> dict[int, str]:
    """Who is still alive when the seconds are over; empty as soon as nobody is."""
    end = time.monotonic() + seconds
    while (found := alive(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    return found
