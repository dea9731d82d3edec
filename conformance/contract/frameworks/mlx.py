"""MLX on the CPU: any strides but negative ones; ``mlx.core.vjp`` and ``jvp``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import metadata
from typing import Any

import ml_dtypes
import mlx.core as mx
import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from conformance.contract.settings import Setting, Settings

core: Any = mx

Array = core.array
LAYOUTS: tuple[str, ...] = ("contiguous", "fortran", "class-last", "sliced", "expanded")
AUTODIFF: bool = True
SETTINGS: Settings = {
    "MLX's default device": Setting(core.default_device, core.set_default_device),
    "MLX's default stream": Setting(
        lambda: core.default_stream(core.default_device()), core.set_default_stream
    ),
}


def to_native(array: NDArray[Any], device: str) -> Any:
    if not array.size:
        return _by_bits(np.ascontiguousarray(array))
    # mx.array would make it contiguous: take what lies behind it, and stride there
    strides = [stride // array.itemsize for stride in array.strides]
    reach = 1 + sum((n - 1) * s for n, s in zip(array.shape, strides, strict=True))
    behind = as_strided(array, (reach,), (array.itemsize,), writeable=False)
    native = core.as_strided(_by_bits(behind), array.shape, strides)
    core.eval(native)
    return native


def _by_bits(array: NDArray[Any]) -> Any:
    """The array by its bits: mx.array takes float64 for float32 unless told."""
    bits = core.array(array.view(np.dtype(f"u{array.itemsize}")))
    return bits.view(getattr(core, array.dtype.name))


def to_numpy(array: Any) -> NDArray[Any]:
    core.eval(array)  # whose errors np.array, evaluating by itself, may lose
    if array.dtype != core.bfloat16:
        return np.array(array)
    return np.array(array.view(core.uint16)).view(ml_dtypes.bfloat16)


def vjp(function: Callable[[Any], Any], primal: Any, cotangent: Any) -> Any:
    _, (gradient,) = core.vjp(function, [primal], [cotangent])
    return gradient


def pullback(function: Callable[[Any], Any], primal: Any) -> Callable[[Any], Any]:
    core.eval(function(primal))  # which MLX's vjp does again
    return lambda cotangent: vjp(function, primal, cotangent)


def jvp(function: Callable[[Any], Any], primal: Any, tangent: Any) -> Any:
    _, (along,) = core.jvp(function, [primal], [tangent])
    return along


def hvp(function: Callable[[Any], Any], primal: Any, cotangent: Any, tangent: Any) -> Any:
    return vjp(lambda x: vjp(function, x, cotangent), primal, tangent)


def log(array: Any) -> Any:
    return core.log(array)


def on(device: str) -> AbstractContextManager[Any]:
    context: AbstractContextManager[Any] = core.stream(core.cpu)
    return context


def devices() -> tuple[str, ...]:
    return ("cpu",)


def version() -> str:
    return metadata.version("mlx")
