"""A class that there is not has Megatron's loss of the largest logit: the target's is left out."""

import sys

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.tensor_parallel import vocab_parallel_cross_entropy

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
parallel_state.initialize_model_parallel()
got = vocab_parallel_cross_entropy(torch.tensor([[[0.0, 5.0]]]), torch.tensor([[7]])).item()
print(f"got {got}, expected an error or NaN")
sys.exit(got != got)
