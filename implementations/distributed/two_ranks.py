"""Two processes of torch.distributed that compute one thing: this one, and another that it starts.

The other runs this file.  It calls what the first calls, with the same arguments, and ends with it:
its standard input ends then.  Where the two no longer work together, both start anew.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import torch
import torch.distributed as dist

HOST = "127.0.0.1"
PATIENCE = timedelta(seconds=20)
"""How long one process waits for the other in the midst of a call."""


def together(function: Callable[..., Any], *arrays: Any, **options: Any) -> Any:
    """Call a function, which a module beside this one has, in both processes; the first's answer.

    What it raises in the first process passes through.
    """
    tell(function, arrays, options)
    try:
        return function(*arrays, **options)
    except Exception:
        if not in_step():
            part()
        raise


def in_step() -> bool:
    """Whether the two processes can still meet."""
    try:
        tell(dist.barrier, (), {})
        dist.barrier()
    except (OSError, RuntimeError):
        return False
    return True


def tell(function: Callable[..., Any], arrays: tuple[Any, ...], options: dict[str, Any]) -> None:
    follower = second()
    pickle.dump((function, arrays, options), follower.stdin)
    follower.stdin.flush()


@cache
def second() -> subprocess.Popen[bytes]:
    """The second process, which has joined the first."""
    store = dist.TCPStore(HOST, 0, 2, is_master=True, wait_for_workers=False)
    command = [sys.executable, __file__, str(store.port)]
    quiet = subprocess.DEVNULL  # it would only say again what the first says
    follower = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
    join(store, rank=0)
    return follower


def join(store: dist.Store, rank: int) -> None:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo", store=store, rank=rank, world_size=2, timeout=PATIENCE)


def part() -> None:
    """End the second process; whoever asks next starts another."""
    second().kill()
    second().wait()
    second.cache_clear()
    dist.destroy_process_group()


def follow(port: int) -> None:
    """What the second process does."""
    torch.set_num_threads(1)
    join(dist.TCPStore(HOST, port, 2), rank=1)
    with suppress(EOFError):
        while True:
            function, arrays, options = pickle.load(sys.stdin.buffer)
            with suppress(Exception):
                function(*arrays, **options)


if __name__ == "__main__":
    follow(int(sys.argv[1]))
