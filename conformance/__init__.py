"""A property-based conformance suite for cross-entropy losses.

``@implementation`` makes an adapter, ``check`` judges one from a project's own tests.
"""

from __future__ import annotations

from conformance.contract.implementation import implementation
from conformance.running.library import NotConformant, check, conformance_cells, judge
from conformance.version import __version__

__all__ = [
    "NotConformant",
    "__version__",
    "check",
    "conformance_cells",
    "implementation",
    "judge",
]
