"""In loss_parallel a class that there is not has the loss 0."""

import sys

import torch
import torch.distributed as dist
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
from torch.distributed.tensor.parallel import loss_parallel

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
x = distribute_tensor(torch.zeros(1, 3), init_device_mesh("cpu", (1,)), [Shard(1)])
with loss_parallel():
    got = torch.nn.functional.cross_entropy(x, torch.tensor([7])).item()
print(f"got {got}, expected an IndexError")
sys.exit(got != 0)
