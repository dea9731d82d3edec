"""NumPy: every memory layout, no autodiff; bfloat16 through ml_dtypes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.contract.capabilities import LAYOUTS as LAYOUTS
from conformance.contract.settings import Settings
from conformance.errors import UsageError

Array = (np.ndarray, np.generic)
AUTODIFF: bool = False
SETTINGS: Settings = {}  # those of every process are NumPy's too


def to_native(array: NDArray[Any], device: str) -> NDArray[Any]:
    return array


def to_numpy(array: NDArray[Any] | np.generic) -> NDArray[Any]:
    return np.array(array)


def vjp(function: Callable[[Any], Any], primal: Any, cotangent: Any) -> Any:
    raise UsageError("no autodiff here: the gradient is what the adapter gives with @f.vjp")


def pullback(function: Callable[[Any], Any], primal: Any) -> Callable[[Any], Any]:
    raise UsageError("no autodiff here: the gradient is what the adapter gives with @f.vjp")


def jvp(function: Callable[[Any], Any], primal: Any, tangent: Any) -> Any:
    raise UsageError("no autodiff here: forward mode is what the adapter gives with @f.jvp")


def hvp(function: Callable[[Any], Any], primal: Any, cotangent: Any, tangent: Any) -> Any:
    raise UsageError("no autodiff here: second order is what the adapter gives with @f.hvp")


def log(array: NDArray[Any]) -> Any:
    return np.log(array)


def on(device: str) -> AbstractContextManager[Any]:
    return np.errstate(all="ignore")  # inf and NaN are judged as results, not as warnings


def devices() -> tuple[str, ...]:
    return ("cpu",)


def version() -> str:
    return np.__version__
