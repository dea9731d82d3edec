"""A label smoothing of -0.1 is taken for none."""

import sys

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.tensor_parallel import vocab_parallel_cross_entropy

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
parallel_state.initialize_model_parallel()
logits, target = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[0]])
got = vocab_parallel_cross_entropy(logits, target, -0.1).item()
print(f"got a loss of {got:.6g}, expected an error")
sys.exit(abs(got - 1.31326) > 1e-4)
