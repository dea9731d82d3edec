"""In loss_parallel, the loss of logits (N, C, 0) never returns: their reshape loops for ever."""

import subprocess
import sys

code = """import torch, torch.distributed as dist, torch.nn.functional as F
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor
from torch.distributed.tensor.parallel import loss_parallel
dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
x = distribute_tensor(torch.zeros(1, 2, 0), init_device_mesh("cpu", (1,)), [Shard(1)])
with loss_parallel(): F.cross_entropy(x, torch.zeros(1, 0, dtype=torch.int64))"""
try:
    got = f"status {subprocess.run([sys.executable, '-c', code], timeout=50).returncode}"
except subprocess.TimeoutExpired:
    got = "no answer in 50 s"
print(f"got {got}, expected an empty loss, or NaN")
sys.exit(got.startswith("status"))
