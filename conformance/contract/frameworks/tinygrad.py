"""tinygrad: contiguous tensors; ``Tensor.gradient``.

Where there is no clang, which its CPU device compiles with, its device in Python computes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import metadata
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("PARALLEL", "0")  # read when it is imported: else a pool compiles, slowly

import tinygrad
from tinygrad import helpers

from conformance.contract.settings import Setting, Settings
from conformance.errors import UsageError

tg: Any = tinygrad
DEFAULT_FLOAT = tg.dtype.DEFAULT_FLOAT

if not helpers.DEV.device:  # which the variable DEV of the environment names
    helpers.DEV.value = "CPU" if shutil.which(os.environ.get("CC", "clang")) else "PYTHON"

Array = tg.Tensor
LAYOUTS: tuple[str, ...] = ("contiguous",)
AUTODIFF: bool = True
SETTINGS: Settings = {
    "tinygrad's default dtype": Setting(
        lambda: DEFAULT_FLOAT.value, lambda value: setattr(DEFAULT_FLOAT, "value", value)
    )
}


def to_native(array: NDArray[Any], device: str) -> Any:
    flat = np.array(array).reshape(-1)  # its own memory; of shape () it would be a constant
    if array.dtype == ml_dtypes.bfloat16:  # which tinygrad does not know from NumPy
        native = tg.Tensor(flat.view(np.uint16)).bitcast(tg.dtypes.bfloat16)
    else:
        native = tg.Tensor(flat)
    return native.reshape(array.shape).realize()


def to_numpy(array: Any) -> NDArray[Any]:
    if array.dtype == tg.dtypes.bfloat16:
        return np.array(array.bitcast(tg.dtypes.uint16).numpy()).view(ml_dtypes.bfloat16)
    return np.array(array.numpy())


def vjp(function: Callable[[Any], Any], primal: Any, cotangent: Any) -> Any:
    return pullback(function, primal)(cotangent)


def pullback(function: Callable[[Any], Any], primal: Any) -> Callable[[Any], Any]:
    result = function(primal)

    def pull(cotangent: Any) -> Any:
        (gradient,) = result.gradient(primal, gradient=cotangent)
        return gradient

    return pull


def jvp(function: Callable[[Any], Any], primal: Any, tangent: Any) -> Any:
    raise UsageError("tinygrad has no forward mode: declare derivatives without jvp")


def hvp(function: Callable[[Any], Any], primal: Any, cotangent: Any, tangent: Any) -> Any:
    return vjp(lambda x: vjp(function, x, cotangent), primal, tangent)


def log(array: Any) -> Any:
    return array.log()


def on(device: str) -> AbstractContextManager[Any]:
    return nullcontext()


def devices() -> tuple[str, ...]:
    return ("cpu",)


def version() -> str:
    return metadata.version("tinygrad")
