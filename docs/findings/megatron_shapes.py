"""Two labels of one position serve both positions: four losses of two rows of logits."""

import sys

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.tensor_parallel import vocab_parallel_cross_entropy

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
parallel_state.initialize_model_parallel()
got = vocab_parallel_cross_entropy(torch.zeros(2, 1, 2), torch.tensor([[0, 1]]))
print(f"got losses of shape {tuple(got.shape)}, expected an error")
sys.exit(got.numel() != 4)
