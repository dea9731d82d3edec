"""JAX: contiguous arrays, and float64 switched on; ``jax.vjp``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from conformance.contract.settings import Setting, Settings

config: Any = jax.config
config.update("jax_enable_x64", True)  # else float64 silently becomes float32

Array = jax.Array
LAYOUTS: tuple[str, ...] = ("contiguous",)
AUTODIFF: bool = True


def _configure(before: dict[str, Any]) -> None:
    for name, value in before.items():
        if config.values[name] != value:
            config.update(name, value)


def _configured(before: dict[str, Any], after: dict[str, Any]) -> str:
    differ = (name for name in after if before.get(name) != after[name])
    return " in " + ", ".join(f"{n} from {before.get(n)} to {after[n]}" for n in differ)


SETTINGS: Settings = {
    "JAX's configuration": Setting(lambda: dict(config.values), _configure, _configured)
}


def to_native(array: NDArray[Any], device: str) -> Any:
    return jax.device_put(np.asarray(array, order="C"), _device(device))


def to_numpy(array: Any) -> NDArray[Any]:
    return np.array(array)


def vjp(function: Callable[[Any], Any], primal: Any, cotangent: Any) -> Any:
    return pullback(function, primal)(cotangent)


def pullback(function: Callable[[Any], Any], primal: Any) -> Callable[[Any], Any]:
    _, pull = jax.vjp(function, primal)
    return lambda cotangent: pull(cotangent)[0]


def jvp(function: Callable[[Any], Any], primal: Any, tangent: Any) -> Any:
    _, along = jax.jvp(function, (primal,), (tangent,))
    return along


def hvp(function: Callable[[Any], Any], primal: Any, cotangent: Any, tangent: Any) -> Any:
    return vjp(lambda x: vjp(function, x, cotangent), primal, tangent)


def log(array: Any) -> Any:
    return jax.numpy.log(array)


def on(device: str) -> AbstractContextManager[Any]:
    context: AbstractContextManager[Any] = jax.default_device(_device(device))
    return context


def devices() -> tuple[str, ...]:
    others = [device for device in jax.devices() if device.platform != "cpu"]
    return ("cpu", *(f"{device.platform.replace('gpu', 'cuda')}:{device.id}" for device in others))


def version() -> str:
    return str(jax.__version__)


def _device(name: str) -> Any:
    kind, _, index = name.partition(":")
    return jax.devices(kind)[int(index or 0)]
