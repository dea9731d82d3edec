"""Megatron's smoothed loss takes the logarithm of a softmax: where that underflows it is inf."""

import sys

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.tensor_parallel import vocab_parallel_cross_entropy

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
parallel_state.initialize_model_parallel()
logits = torch.tensor([[[0.0, 120.0]]])
got = vocab_parallel_cross_entropy(logits, torch.tensor([[1]]), label_smoothing=0.1).item()
print(f"got {got}, expected {0.1 * 120}")
sys.exit(got != float("inf"))
