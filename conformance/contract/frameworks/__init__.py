"""Bridges: one thin module a framework, with the same few names in each.

A bridge is imported only when an implementation of its framework is opened, since importing a
framework takes seconds.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from numpy.typing import NDArray

from conformance.contract.settings import Settings
from conformance.errors import AdapterError, MissingFrameworkError

FRAMEWORKS: Final = ("numpy", "torch", "tensorflow", "jax", "mlx", "tinygrad", "cupy")


class Bridge(Protocol):
    """The names that a bridge module has.  ``Any`` stands for the framework's own arrays."""

    @property
    def Array(self) -> Any:
        """The class of the framework's arrays, or several, as for ``isinstance``."""

    @property
    def LAYOUTS(self) -> tuple[str, ...]:
        """The memory layouts that the framework can express."""

    @property
    def AUTODIFF(self) -> bool:
        """Whether ``vjp`` and what follows it can differentiate a function."""

    @property
    def SETTINGS(self) -> Settings:
        """What the framework keeps for the whole process, such as its default dtype."""

    def to_native(self, array: NDArray[Any], device: str) -> Any:
        """The array on the device: same bits and strides; on the CPU the same memory if it can."""

    def to_numpy(self, array: Any) -> NDArray[Any]:
        """A copy on the host: same bits, shape and dtype."""

    def vjp(self, function: Callable[[Any], Any], primal: Any, cotangent: Any) -> Any:
        """The gradient of <cotangent, function(primal)> by the framework's own autodiff."""

    def pullback(self, function: Callable[[Any], Any], primal: Any) -> Callable[[Any], Any]:
        """The forward pass now; the gradient for a cotangent later, as often as it is called."""

    def jvp(self, function: Callable[[Any], Any], primal: Any, tangent: Any) -> Any:
        """The derivative of function at primal along tangent, by forward mode."""

    def hvp(self, function: Callable[[Any], Any], primal: Any, cotangent: Any, tangent: Any) -> Any:
        """The Hessian of <cotangent, function> at primal times tangent: reverse mode, twice."""

    def log(self, array: Any) -> Any:
        """The framework's elementwise natural logarithm."""

    def on(self, device: str) -> AbstractContextManager[Any]:
        """The context that the framework computes in."""

    def devices(self) -> tuple[str, ...]:
        """The devices present, such as ``cpu``, ``cuda:0``."""

    def version(self) -> str:
        """The framework's version."""


def load_bridge(framework: str) -> Bridge:
    """Import a framework's bridge.

    Raises ``MissingFrameworkError`` where the framework is not installed, and ``AdapterError``
    where it is but does not import.
    """
    try:
        return cast(Bridge, importlib.import_module(f"{__name__}.{framework}"))
    except ModuleNotFoundError as error:
        if error.name != framework:
            raise AdapterError(f"{framework} is installed but does not import: {error}") from error
        raise MissingFrameworkError(
            f"{framework} is not installed: pip install {framework}"
        ) from None
    except ImportError as error:
        raise AdapterError(f"{framework} is installed but does not import: {error}") from error


if TYPE_CHECKING:  # each module is a Bridge, says mypy
    from conformance.contract.frameworks import (
        cupy,
        jax,
        mlx,
        numpy,
        process,
        tensorflow,
        tinygrad,
        torch,
    )

    _BRIDGES: tuple[Bridge, ...] = (
        numpy,
        torch,
        tensorflow,
        jax,
        mlx,
        tinygrad,
        cupy,
        process,
    )
