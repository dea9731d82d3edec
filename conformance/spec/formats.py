"""The floating-point formats under test, and the constants that rounding-error analysis needs.

Notation follows Higham, *Accuracy and Stability of Numerical Algorithms* (2nd ed., SIAM 2002),
section 2.1: ``u`` is the unit roundoff (half the distance from 1 to the next number).
"""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating-point format."""

    name: str
    dtype: np.dtype
    precision: int
    """Significand bits, the implicit one included."""
    min_exponent: int
    """The exponent of the smallest normal number: 2**min_exponent."""
    largest: float

    @property
    def unit_roundoff(self) -> float:
        """u = 2**-precision: the largest relative error of one rounding to nearest."""
        return 2.0**-self.precision

    @property
    def smallest_normal(self) -> float:
        """omega = 2**min_exponent."""
        return 2.0**self.min_exponent

    @property
    def smallest_subnormal(self) -> float:
        """eta = 2**(min_exponent - precision + 1)."""
        return 2.0 ** (self.min_exponent - self.precision + 1)

    def ulp(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The unit in the last place of this format at each (finite) value, as float64."""
        _, exponent = np.frexp(np.abs(values))
        exponent = np.maximum(exponent - self.precision, self.min_exponent - self.precision + 1)
        ulp: NDArray[np.float64] = np.ldexp(1.0, exponent)
        return ulp


FLOAT64 = FloatFormat("float64", np.dtype(np.float64), 53, -1022, float(np.finfo(np.float64).max))
FLOAT32 = FloatFormat("float32", np.dtype(np.float32), 24, -126, float(np.finfo(np.float32).max))
FLOAT16 = FloatFormat("float16", np.dtype(np.float16), 11, -14, 65504.0)
BFLOAT16 = FloatFormat("bfloat16", np.dtype(ml_dtypes.bfloat16), 8, -126, (1 - 2.0**-8) * 2.0**128)

FORMATS: dict[str, FloatFormat] = {f.name: f for f in (FLOAT64, FLOAT32, FLOAT16, BFLOAT16)}


_BY_DTYPE = {f.dtype: f for f in FORMATS.values()}


def format_of(dtype: DTypeLike) -> FloatFormat:
    """The format of a NumPy dtype.  Raises ``KeyError`` for anything but the four formats."""
    return _BY_DTYPE[np.dtype(dtype)]
