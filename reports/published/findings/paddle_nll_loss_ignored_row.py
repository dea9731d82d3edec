"""nll_loss writes beyond its arrays where a row is ignored: the process dies, or never ends."""

import subprocess
import sys

code = """import paddle, paddle.nn.functional as F
log_p, target = paddle.zeros([6, 4], "float64"), paddle.to_tensor([0, 2, 2, 3, 0, 1])
for _ in range(1000): F.nll_loss(log_p, target, ignore_index=0)"""
try:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20)
    got = f"status {done.returncode}"
except subprocess.TimeoutExpired:
    got = "no answer in 20 s"
print(f"got {got}, expected status 0")
sys.exit(got == "status 0")
