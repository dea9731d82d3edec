"""CuPy, on NVIDIA's GPUs alone: any strides but negative ones; no autodiff."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import cupy
import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from conformance.contract.frameworks.numpy import AUTODIFF as AUTODIFF
from conformance.contract.frameworks.numpy import hvp as hvp
from conformance.contract.frameworks.numpy import jvp as jvp
from conformance.contract.frameworks.numpy import pullback as pullback
from conformance.contract.frameworks.numpy import vjp as vjp
from conformance.contract.settings import Setting, Settings

cp: Any = cupy

Array = cp.ndarray
LAYOUTS: tuple[str, ...] = ("contiguous", "fortran", "class-last", "sliced", "expanded")
SETTINGS: Settings = {
    "CuPy's current device": Setting(cp.cuda.runtime.getDevice, cp.cuda.runtime.setDevice),
}


def to_native(array: NDArray[Any], device: str) -> Any:
    with on(device):
        if not array.size:
            return cp.asarray(np.ascontiguousarray(array))
        # cupy.asarray would make it contiguous: take what lies behind it, and stride there
        last = sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True))
        reach = 1 + last // array.itemsize
        behind = cp.asarray(as_strided(array, (reach,), (array.itemsize,), writeable=False))
        return cp.lib.stride_tricks.as_strided(behind, array.shape, array.strides)


def to_numpy(array: Any) -> NDArray[Any]:
    return np.array(cp.asnumpy(array))


def log(array: Any) -> Any:
    return cp.log(array)


def on(device: str) -> AbstractContextManager[Any]:
    context: AbstractContextManager[Any] = cp.cuda.Device(int(device.partition(":")[2] or 0))
    return context


def devices() -> tuple[str, ...]:
    try:
        return tuple(f"cuda:{i}" for i in range(cp.cuda.runtime.getDeviceCount()))
    except cp.cuda.runtime.CUDARuntimeError:  # no driver
        return ()


def version() -> str:
    return str(cp.__version__)
