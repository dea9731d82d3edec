"""Which roundings an implementation may commit: the assumptions under which `bounds` holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from conformance.errors import UsageError
from conformance.spec.formats import FLOAT32, FloatFormat

TIERS = ("wide", "standard", "native")
ORDERS = ("any", "simd8", "pairwise")


@dataclass(frozen=True)
class Arithmetic:
    """How a right implementation may compute.  Made by `arithmetic`."""

    storage: FloatFormat
    """Of the logits and of the result."""
    elementwise: FloatFormat
    """Of the shift, exp, log and subtraction."""
    class_sum: FloatFormat
    """In which sums over the classes accumulate."""
    batch_sum: FloatFormat
    """In which sums over the rows accumulate."""
    stores_intermediates: bool
    """Whether sums, logarithms and log-probabilities are each rounded to the storage format."""
    lse_first: bool
    """Class B: m + log s is rounded before the target's logit is subtracted.  Class A: never."""
    merges: int
    """How often an online or blocked softmax rescales its sum or merges two logarithms."""
    order: str
    """Of sums: any | simd8 (eight running sums) | pairwise."""

    exp_ulp: float
    """Error of exp in ulp.  Measured: NumPy float32 2.4, XLA float64 1.7, SLEEF 0.9; 4 leaves
    room for other libraries.  exp(0) = 1 everywhere.  Where exp itself is done in 16 bits: 1."""
    log_ulp: float
    """Error of log in ulp.  Measured: NumPy float32 3.1, TensorFlow 3.2, SLEEF 0.9."""
    argument: float = 4.0
    """Error of the argument of exp in units of u |d|: 1 for x - m, about 3 for exp2(d log2 e)."""

    @property
    def merge(self) -> float:
        """The relative error of rescaling a sum once: exp, product and sum, where sums are kept."""
        narrow = self.class_sum.precision < FLOAT32.precision
        return (2 * (1 if narrow else 4) + 2) * self.class_sum.unit_roundoff

    @property
    def floor(self) -> float:
        """The error of one result below the normal numbers.  TensorFlow and JAX flush these to
        zero, but nobody does so in float16, whose subnormal numbers matter."""
        f = self.storage
        return f.smallest_subnormal if f.name == "float16" else f.smallest_normal

    @property
    def limit(self) -> float:
        """Sums and products beyond may legitimately overflow on the way."""
        return (self.storage if self.stores_intermediates else self.elementwise).largest

    def class_height(self, terms: int) -> int:
        """The largest number of additions that a class's term goes through."""
        return _height(terms, self.order)

    def class_sigma(self, terms: int) -> float:
        """The relative error of a sum of non-negative terms over the classes."""
        return _sigma(terms, self.order, self.class_sum.unit_roundoff)

    def batch_sigma(self, terms: int) -> float:
        """The same over the rows."""
        return _sigma(terms, self.order, self.batch_sum.unit_roundoff)


@cache
def arithmetic(
    format: FloatFormat,
    tier: str,
    *,
    lse_first: bool = False,
    merges: int = 0,
    order: str = "any",
) -> Arithmetic:
    """The arithmetic of a tier.  For float32 and float64 the three are the same.

    wide: every intermediate in float32, one rounding of each result at the end;
    standard: intermediates may be stored in the storage format, sums accumulate in float32;
    native: everything, sums included, in the storage format.
    """
    if tier not in TIERS or order not in ORDERS:
        raise UsageError(f"no arithmetic {tier!r}, {order!r}: wanted one of {TIERS}, {ORDERS}")
    narrow = format.precision < FLOAT32.precision
    inner = FLOAT32 if narrow and tier == "wide" else format
    sums = FLOAT32 if narrow and tier != "native" else format
    ulp = 1.0 if inner.precision < FLOAT32.precision else 4.0
    stores = narrow and tier != "wide"
    return Arithmetic(
        format, inner, sums, sums, stores, lse_first, merges, order, exp_ulp=ulp, log_ulp=ulp
    )


def accurate(format: FloatFormat, classes: int) -> Arithmetic:
    """The widest class of sane arithmetic: native sums in any order, class B, online or blocked."""
    return arithmetic(format, "native", lse_first=True, merges=classes - 1)


def accumulates_in_float32(format: FloatFormat, classes: int) -> Arithmetic:
    """As `accurate`, but sums of 16-bit numbers are kept in at least float32.

    Without merges: a running sum rescaled by a factor in 16 bits is not kept in float32.
    """
    return arithmetic(format, "standard", lse_first=True)


def offset_costs_nothing(format: FloatFormat, classes: int) -> Arithmetic:
    """As `accurate`, but class A: an offset common to the logits of a row costs no accuracy."""
    return arithmetic(format, "native", merges=classes - 1)


def wide(format: FloatFormat, classes: int) -> Arithmetic:
    """Only the output is rounded to 16 bits: everything before it is computed in float32."""
    return arithmetic(format, "wide", lse_first=True, merges=classes - 1)


def simd8(format: FloatFormat, classes: int) -> Arithmetic:
    """As `accurate` in one pass, but sums are at least eight running sums, as in SIMD lanes."""
    return arithmetic(format, "native", lse_first=True, order="simd8")


def _height(terms: int, order: str) -> int:
    if terms <= 1:
        return 0
    if order == "any":
        return terms - 1
    if order == "simd8":
        return math.ceil(terms / 8) + 3
    return math.ceil(math.log2(terms)) + 16  # pairwise, with loops of up to 16 terms at its leaves


def _sigma(terms: int, order: str, u: float) -> float:
    # Any order: (n - 1) u without a quadratic term and whatever n is (Rump, BIT 52, 2012; Jeannerod
    # and Rump, SIAM J. Matrix Anal. 34, 2013).  Attained: sequential sums of equal terms are biased
    # (measured 0.99 (n - 1) u), so no probabilistic bound in sqrt(n) would hold.
    hu = _height(terms, order) * u
    if order == "any":
        return hu
    return hu / (1 - hu) if hu < 1 else math.inf
