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

from conformance.contract.settings import Setting, Settings, hidden

Array = torch.Tensor
LAYOUTS: tuple[str, ...] = ("contiguous", "fortran", "class-last", "sliced", "expanded")
AUTODIFF: bool = True

forward_ad: Any = torch.autograd.forward_ad


def _random_state() -> bytes:
    return bytes(torch.get_rng_state().numpy().tobytes())


def _set_random_state(state: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


def _determinism() -> tuple[bool, bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )


def _set_determinism(flags: tuple[bool, bool, bool, bool]) -> None:
    torch.use_deterministic_algorithms(flags[0], warn_only=flags[1])
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = flags[2:]


SETTINGS: Settings = {
    "torch's default dtype": Setting(torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": Setting(torch.get_default_device, torch.set_default_device),
    "torch's random state": Setting(_random_state, _set_random_state, hidden),
    "torch's grad mode": Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's determinism": Setting(_determinism, _set_determinism),
    "torch's float32 precision": Setting(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    ),
    "torch's number of threads": Setting(torch.get_num_threads, torch.set_num_threads, once=True),
}


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
