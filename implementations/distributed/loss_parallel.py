"""PyTorch's loss of a DTensor that is sharded by class over two processes."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import loss_parallel


@cache
def mesh_of(world: dist.ProcessGroup) -> DeviceMesh:
    return init_device_mesh("cpu", (2,))


def mesh() -> DeviceMesh:
    return mesh_of(dist.group.WORLD)


def sharded(logits: torch.Tensor) -> DTensor:
    axis = min(1, logits.ndim - 1)
    return distribute_tensor(logits, mesh(), [Shard(axis)], src_data_rank=None)


def loss(logits: torch.Tensor, target: torch.Tensor, **options: Any) -> torch.Tensor:
    with loss_parallel():
        return F.cross_entropy(sharded(logits), target, **options).full_tensor()


def gradient(
    cotangent: torch.Tensor, logits: torch.Tensor, target: torch.Tensor, **options: Any
) -> torch.Tensor:
    leaf = sharded(logits).requires_grad_()
    with loss_parallel():
        F.cross_entropy(leaf, target, **options).backward(
            distribute_tensor(cotangent, mesh(), [Replicate()], src_data_rank=None)
        )
    return leaf.grad.full_tensor()
