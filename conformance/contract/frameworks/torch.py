"""PyTorch: any strides but negative ones, no read-only tensors; autograd."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import ml_dtypes
import numpy as np
import torch
from numpy.typing import NDArray

Array = torch.Tensor
LAYOUTS: tuple[str, ...] = ("contiguous", "fortran", "class-last", "sliced", "expanded")
AUTODIFF: bool = True

forward_ad: Any = torch.autograd.forward_ad


def to_native(array: NDArray[Any], device: str) -> torch.Tensor:
    bfloat16 = array.dtype == ml_dtypes.bfloat16  # which neither side knows of the other
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about read-only arrays: there are no such tensors
        host = torch.from_numpy(array.view(np.int16) if bfloat16 else array)
    host = host.view(torch.bfloat16) if bfloat16 else host
    if torch.device(device).type == "cpu":
        return host
    # .to(device) would make it contiguous: move what lies behind it, and stride there
    behind = host.as_strided((host.untyped_storage().nbytes() // host.element_size(),), (1,), 0)
    return behind.to(device).as_strided(host.size(), host.stride(), host.storage_offset())


def to_numpy(array: torch.Tensor) -> NDArray[Any]:
    host = array.detach().cpu()
    if host.dtype is torch.bfloat16:
        return np.array(host.view(torch.int16).numpy().view(ml_dtypes.bfloat16))
    return np.array(host.numpy())


def vjp(
    function: Callable[[torch.Tensor], torch.Tensor],
    primal: torch.Tensor,
    cotangent: torch.Tensor,
) -> torch.Tensor:
    leaf = primal.requires_grad_()  # a leaf with the strides of the case
    (gradient,) = torch.autograd.grad(function(leaf), leaf, grad_outputs=cotangent)
    return gradient


def pullback(
    function: Callable[[torch.Tensor], torch.Tensor], primal: torch.Tensor
) -> Callable[[torch.Tensor], torch.Tensor]:
    leaf = primal.requires_grad_()
    result = function(leaf)

    def pull(cotangent: torch.Tensor) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(result, leaf, cotangent, retain_graph=True)
        return gradient

    return pull


def jvp(
    function: Callable[[torch.Tensor], torch.Tensor], primal: torch.Tensor, tangent: torch.Tensor
) -> torch.Tensor:
    with forward_ad.dual_level():
        result = forward_ad.unpack_dual(function(forward_ad.make_dual(primal, tangent)))
    # Without a tangent: a constant, as far as torch knows.
    return torch.zeros_like(result.primal) if result.tangent is None else result.tangent


def hvp(
    function: Callable[[torch.Tensor], torch.Tensor],
    primal: torch.Tensor,
    cotangent: torch.Tensor,
    tangent: torch.Tensor,
) -> torch.Tensor:
    leaf = primal.requires_grad_()
    (gradient,) = torch.autograd.grad(function(leaf), leaf, cotangent, create_graph=True)
    (product,) = torch.autograd.grad(gradient, leaf, tangent)
    return product


def log(array: torch.Tensor) -> torch.Tensor:
    return torch.log(array)


def on(device: str) -> AbstractContextManager[Any]:
    return nullcontext()


def devices() -> tuple[str, ...]:
    if not torch.accelerator.is_available():
        return ("cpu",)
    accelerator = torch.accelerator.current_accelerator()
    kind = accelerator.type if accelerator else "cpu"
    return ("cpu", *(f"{kind}:{i}" for i in range(torch.accelerator.device_count())))


def version() -> str:
    return str(torch.__version__)
