"""Stands between the parent of a run and one worker, so that nothing of the worker outlives either.

A script of its own, run as ``guardian.py COMMAND...``: it starts the command in a session of its
own, waits until that ends or until the parent's end of standard input closes (the parent is done
with the worker, or was killed), ends all that descends from the worker, and ends as the worker did.
It imports nothing of the suite: there is one for each worker, and it is to start in no time.

On Linux it is a subreaper: what a worker leaves behind becomes a child of the guardian, whatever
session it has made for itself, and is found.  Elsewhere the worker's process group is all that can
be found.  What remains possible is to ask somebody outside to start something (a service manager, a
container engine), to fork faster than a guardian can kill, or to send SIGKILL to the guardian: then
the kernel ends the worker, but not what that has started.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
PAUSE = 0.01
"""Seconds between two rounds of ending what is left."""
ROUNDS = 300


def main(command: list[str]) -> None:
    """Run the command, and end as it does."""
    prctl = _prctl()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    woken = _waking_pipe()
    worker = os.fork()
    if worker == 0:
        _become(command, prctl)
    _let_go(woken)
    status = _wait(worker, woken[0])
    _end_family(worker)
    if status is not None:
        _end_like(status, prctl)


def parents() -> dict[int, int]:
    """The parent of every process of this machine, as far as that can be told (on Linux)."""
    found = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The second field is the command in parentheses, and may hold anything.
                found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    return found


def descendants(pid: int, parents: Mapping[int, int]) -> list[int]:
    """The processes that descend from one, the elder before their children."""
    found = [pid]
    for elder in found:  # grows meanwhile
        found += [child for child, parent in parents.items() if parent == elder]
    return found[1:]


def _prctl() -> Callable[[int, int], object]:
    if sys.platform != "linux":
        return lambda option, value: None
    library = ctypes.CDLL(None)
    return lambda option, value: library.prctl(option, value, 0, 0, 0)


def _waking_pipe() -> tuple[int, int]:
    """A pipe that can be read once a child has ended."""
    pipe = os.pipe()
    os.set_blocking(pipe[1], False)
    signal.set_wakeup_fd(pipe[1], warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return pipe


def _let_go(keep: tuple[int, int]) -> None:
    """Close the worker's pipes, whose end is to be seen when the worker ends."""
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    low, high = sorted(keep)
    for gap in ((3, low), (low + 1, high), (high + 1, 65536)):
        os.closerange(*gap)


def _become(command: list[str], prctl: Callable[[int, int], object]) -> None:
    """In the child: the worker."""
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Where memory runs out, let the kernel end the worker, not the parent.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):  # as they were before Python
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(command[0], command)
    finally:
        os._exit(127)


def _wait(worker: int, woken: int) -> int | None:
    """The status with which the worker ended; None where the parent is gone or wants no more."""
    poll = select.poll()
    poll.register(woken, select.POLLIN)
    poll.register(0, 0)  # tells when it is closed, and takes nothing that the worker should read
    while True:
        ready = [descriptor for descriptor, _ in poll.poll()]
        if woken in ready:
            os.read(woken, 4096)
            for pid, status in _reaped():
                if pid == worker:
                    return status
        if 0 in ready:
            return None


def _reaped() -> list[tuple[int, int]]:
    """The children that have ended, with their status."""
    found = []
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(ended)
    return found


def _end_family(worker: int) -> None:
    """End what is left of the worker: its group, then every child, and those that they leave."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker, signal.SIGKILL)
    for _ in range(ROUNDS):  # not for ever: nothing ends a process that waits for a broken device
        for child in descendants(os.getpid(), parents()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        _reaped()
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        time.sleep(PAUSE)


def _end_like(status: int, prctl: Callable[[int, int], object]) -> None:
    """End as the worker ended."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        prctl(PR_SET_DUMPABLE, 0)  # one core is enough
        with contextlib.suppress(OSError):  # SIGKILL is as it is
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
