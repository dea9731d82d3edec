"""Megatron writes the softmax over float32 logits: who kept them has other numbers."""

import sys

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.tensor_parallel import vocab_parallel_cross_entropy

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
parallel_state.initialize_model_parallel()
logits = torch.tensor([[[1.0, 2.0]]])
vocab_parallel_cross_entropy(logits, torch.tensor([[0]]))
print(f"got the logits {logits}, expected those that there were: 1, 2")
sys.exit(logits.tolist() == [[[1, 2]]])
