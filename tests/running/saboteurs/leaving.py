"""Implementations that leave something running behind them."""

from __future__ import annotations

import atexit
import os
import subprocess
import threading
import time
from collections.abc import Callable

from saboteur import before, declare, once

from conformance import implementation

FOREVER = ["sleep", "1000"]


def a_thread(*, daemon: bool) -> Callable[[], None]:
    def run() -> None:
        while True:
            time.sleep(0.001)

    return lambda: threading.Thread(target=run, daemon=daemon).start()


def a_daemon() -> None:
    """A process that has left its session and its parent."""
    if (child := os.fork()) == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp(FOREVER[0], FOREVER)
        os._exit(0)
    os.waitpid(child, 0)


def sleep_at_exit() -> None:
    atexit.register(time.sleep, 1000)


threads = implementation("threads", **declare)(before(once(a_thread(daemon=True)), "pass"))
stubborn_thread = implementation("stubborn-thread", **declare)(
    before(once(a_thread(daemon=False)), "pass")
)
child = implementation("child", **declare)(before(once(lambda: subprocess.Popen(FOREVER)), "pass"))
child_of_its_own = implementation("child-of-its-own", **declare)(
    before(once(lambda: subprocess.Popen(FOREVER, start_new_session=True)), "pass")
)
daemon = implementation("daemon", **declare)(before(once(a_daemon), "pass"))
twin = implementation("twin", **declare)(before(once(os.fork), "pass"))
late_exit = implementation("late-exit", **declare)(before(once(sleep_at_exit), "pass"))
