"""A property-based conformance suite for cross-entropy losses.

``@implementation`` makes an adapter, ``check`` judges one from a project's own tests.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from conformance.version import __version__

if TYPE_CHECKING:
    from conformance.contract.harness import harness
    from conformance.contract.implementation import implementation
    from conformance.errors import Unsupported
    from conformance.judging.library import check, conformance_cells, judge

__all__ = [
    "Unsupported",
    "__version__",
    "check",
    "conformance_cells",
    "harness",
    "implementation",
    "judge",
]

_HOMES = dict.fromkeys(("check", "conformance_cells", "judge"), "conformance.judging.library")
_HOMES["harness"] = "conformance.contract.harness"
_HOMES["implementation"] = "conformance.contract.implementation"
_HOMES["Unsupported"] = "conformance.errors"


def __getattr__(name: str) -> object:
    """A public name when it is first asked for: the command line is to hear Ctrl-C before that."""
    if name not in _HOMES:
        raise AttributeError(f"module 'conformance' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
