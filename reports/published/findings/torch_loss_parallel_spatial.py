"""In loss_parallel the gradient of logits (N, C, d1, d2) takes the targets in another order."""

import torch
import torch.distributed as dist
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
from torch.distributed.tensor.parallel import loss_parallel

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
logits, target = torch.zeros(1, 2, 2, 2), torch.tensor([[[0, 1], [0, 1]]])
x = distribute_tensor(logits, init_device_mesh("cpu", (1,)), [Shard(1)]).requires_grad_()
with loss_parallel():
    torch.nn.functional.cross_entropy(x, target, reduction="sum").backward()
got, expected = x.grad.to_local()[0, 0], 0.5 - (target[0] == 0).float()
print(f"got {got}, expected {expected}")
raise SystemExit(bool(got.equal(expected)))
