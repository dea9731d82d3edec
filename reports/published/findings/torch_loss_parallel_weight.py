"""In loss_parallel a weight and an ignored target of -100 have a loss, but no gradient."""

import torch
import torch.distributed as dist
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
from torch.distributed.tensor.parallel import loss_parallel

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
x = distribute_tensor(torch.zeros(2, 3), init_device_mesh("cpu", (1,)), [Shard(1)]).requires_grad_()
with loss_parallel():
    try:
        torch.nn.functional.cross_entropy(x, torch.tensor([-100, 0]), torch.ones(3)).backward()
    except RuntimeError as error:
        raise SystemExit(print(f"got {error}, expected a gradient")) from None
raise SystemExit("a gradient")
