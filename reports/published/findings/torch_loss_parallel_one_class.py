"""Of one class, the second of two processes has no part: it raises, and the first waits for it."""

import subprocess, sys, torch, torch.distributed as dist  # noqa: E401, I001
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh, parallel

port, rank = [*map(int, sys.argv[1:]), 0, 0][:2]
store = dist.TCPStore("127.0.0.1", port, 2, is_master=not rank, wait_for_workers=False)
other = rank or subprocess.Popen([sys.executable, __file__, str(store.port), "1"])
dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
x = distribute_tensor(torch.zeros(1, 1), init_device_mesh("cpu", (2,)), [Shard(1)])
try:
    with parallel.loss_parallel():
        sys.exit(str(torch.nn.functional.cross_entropy(x, torch.tensor([0])).full_tensor()))
except RuntimeError as error:
    sys.exit(print(f"got {error}, expected 0") or (not rank and other.wait()))
