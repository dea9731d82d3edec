"""Over two processes Megatron smooths by a half of the classes, each process by another half."""

import subprocess, sys, torch, torch.distributed as dist  # noqa: E401, I001
from megatron.core import parallel_state, tensor_parallel

port, rank = [*map(int, sys.argv[1:]), 0, 0][:2]
store = dist.TCPStore("127.0.0.1", port, 2, is_master=not rank, wait_for_workers=False)
other = rank or subprocess.Popen([sys.executable, __file__, str(store.port), "1"])
dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
parallel_state.initialize_model_parallel(2)
logits, log_p = torch.arange(4.0), torch.arange(4.0).log_softmax(0)
half = logits[None, None, 2 * rank : 2 * rank + 2].clone()
got = tensor_parallel.vocab_parallel_cross_entropy(half, torch.tensor([[0]]), 0.3).item()
print(f"got {got}, expected {-0.7 * log_p[0] - 0.1 * log_p[1:].sum()}")
sys.exit(bool(abs(got - 2.84) < 0.01) or (not rank and other.wait()))
