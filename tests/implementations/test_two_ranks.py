"""The second process of an adapter that computes on two ends with the first, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.contract.discovery import built_in_folder

FOLDER = built_in_folder()
assert FOLDER is not None
ASK = """
import sys
sys.path.append(sys.argv[1])
import torch
import loss_parallel, two_ranks
loss = two_ranks.together(loss_parallel.loss, torch.zeros(1, 2), torch.tensor([0]))
print(two_ranks.second().pid, loss.item(), flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
"""


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize("end", ["by itself", "wait"])
def test_the_second_process_ends_with_the_first(end: str) -> None:
    pytest.importorskip("torch")
    command = [sys.executable, "-c", ASK, str(FOLDER / "distributed"), end]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        pid, loss = first.stdout.readline().split()
        assert float(loss) == pytest.approx(0.6931472)
        if end == "wait":
            assert is_running(int(pid))
            os.kill(first.pid, signal.SIGKILL)
        first.wait(60)
    deadline = time.monotonic() + 60
    while is_running(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(int(pid))
