"""Right implementations that compute in unusual ways: no property may accuse them.

Each names the levels of accuracy that it does not claim.
"""

from __future__ import annotations

from unusual import rows, softmax
from unusual.right import Unusual

VARIANTS = tuple(
    variant
    for module in (softmax, rows)
    for variant in vars(module).values()
    if isinstance(variant, type) and issubclass(variant, Unusual) and variant is not Unusual
)
"""All of them, in the order of their places."""

__all__ = ["VARIANTS", "Unusual"]
