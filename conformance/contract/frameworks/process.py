"""A process of its own: NumPy arrays, of which it gets the values in C order and no layout."""

from __future__ import annotations

from conformance.contract.frameworks.numpy import AUTODIFF as AUTODIFF
from conformance.contract.frameworks.numpy import SETTINGS as SETTINGS
from conformance.contract.frameworks.numpy import Array as Array
from conformance.contract.frameworks.numpy import devices as devices
from conformance.contract.frameworks.numpy import hvp as hvp
from conformance.contract.frameworks.numpy import jvp as jvp
from conformance.contract.frameworks.numpy import log as log
from conformance.contract.frameworks.numpy import on as on
from conformance.contract.frameworks.numpy import pullback as pullback
from conformance.contract.frameworks.numpy import to_native as to_native
from conformance.contract.frameworks.numpy import to_numpy as to_numpy
from conformance.contract.frameworks.numpy import version as version
from conformance.contract.frameworks.numpy import vjp as vjp

LAYOUTS: tuple[str, ...] = ("contiguous",)
