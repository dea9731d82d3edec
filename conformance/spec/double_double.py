"""Double-double arithmetic on arrays: a value is an unevaluated sum hi + lo of two float64 numbers.

Only rounding to nearest is assumed: no fused multiply-add, no extended precision.  The error-free
transformations are those of Dekker (Numer. Math. 18, 1971) and Knuth (TAOCP 2, 4.2.2); sums use the
vector extraction of Rump, Ogita and Oishi (SIAM J. Sci. Comput. 31, 2008).

Measured against mpmath (tests/spec): exp 2^-76, log1p 2^-72, relative to the result.  Operands
stay below 2^900; the caller sees to it (`oracle.solve`) and silences NumPy's warnings.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from conformance.spec.tables import STEPS, ln2_parts, tables

Float64 = NDArray[np.float64]


class Pair(NamedTuple):
    """The value hi + lo, with |lo| at most half an ulp of hi (or zero)."""

    hi: Float64
    lo: Float64

    def at(self, index: Any) -> Pair:
        return Pair(self.hi[index], self.lo[index])


def constant(value: float) -> Pair:
    """A float as a pair of arrays of shape ()."""
    return Pair(np.asarray(value, np.float64), np.zeros(()))


def exactly(value: Float64) -> Pair:
    """float64 numbers as a pair."""
    return Pair(value, np.zeros(value.shape))


def two_sum(a: Float64, b: Float64) -> Pair:
    """a + b without error (Knuth)."""
    s = a + b
    t = s - a
    error = t - s
    error += a
    t -= b
    error -= t  # (a - (s - t)) + (b - t)
    return Pair(s, error)


def fast_two_sum(a: Float64, b: Float64) -> Pair:
    """a + b without error where |a| >= |b| or a = 0 (Dekker)."""
    s = a + b
    error = a - s
    error += b
    return Pair(s, error)


_HEAD = np.int64(-(1 << 27))


def _split(a: Float64) -> tuple[Float64, Float64]:
    """a as 26 leading bits and 27 others, by masking: unlike Dekker's it cannot overflow."""
    head = (a.view(np.int64) & _HEAD).view(np.float64)
    return head, a - head


def two_product(a: Float64, b: Float64) -> Pair:
    """a b up to 2^-106 of it."""
    p = a * b
    a1, a2 = _split(a)
    b1, b2 = _split(b)
    error = a1 * b1
    error -= p
    error += a2 * b1
    error += a1 * b2
    error += a2 * b2
    return Pair(p, error)


def add(a: Pair, b: Pair) -> Pair:
    s, error = two_sum(a.hi, b.hi)
    error += a.lo + b.lo
    return fast_two_sum(s, error)


def subtract(a: Pair, b: Pair) -> Pair:
    return add(a, Pair(-b.hi, -b.lo))


def multiply(a: Pair, b: Pair) -> Pair:
    p, error = two_product(a.hi, b.hi)
    error += a.hi * b.lo
    error += a.lo * b.hi
    return fast_two_sum(p, error)


def scale(a: Pair, b: Float64) -> Pair:
    """A pair times float64 numbers."""
    p, error = two_product(a.hi, b)
    return fast_two_sum(p, error + a.lo * b)


def divide(a: Pair, b: Pair) -> Pair:
    q = a.hi / b.hi
    p, error = two_product(q, b.hi)
    return fast_two_sum(q, ((a.hi - p) - error + a.lo - q * b.lo) / b.hi)


def total(terms: Pair) -> Pair:
    """The sum over the last axis, up to 2^-80 of the sum of magnitudes.

    Adding sigma = 2^k, larger than the sum of all magnitudes, rounds every term to a multiple of
    ulp(sigma); these parts add up without error, and what is left is 2^-53 as large.
    """
    largest = np.maximum(terms.hi.max(-1, keepdims=True), -terms.hi.min(-1, keepdims=True))
    return total_below(largest, terms)


def total_below(largest: Any, terms: Pair) -> Pair:
    """The same, where the terms are known to be at most ``largest`` in magnitude."""
    hi, lo = terms
    sigma = np.ldexp(2.0, np.frexp(largest * hi.shape[-1])[1])
    head = sigma + hi
    head -= sigma
    rest = hi - head
    rest += lo
    return fast_two_sum(head.sum(-1), rest.sum(-1))


_INVERSE_STEP = STEPS / np.log(2.0)
_STEP_1, _STEP_2, _STEP_3 = ln2_parts(STEPS, (30, 30))
_LOG2_HEAD, _LOG2_TAIL = ln2_parts(1, (30,))
_TO_39_BITS = 1.5 * 2.0**13
"""Adding and subtracting it rounds a number below 2^-12 to a multiple of 2^-39."""


def exp(z: Pair, lift: NDArray[np.int64]) -> Pair:
    """exp(z) 2^lift for z <= 0 and any sum with lift log 2 below 1; 0 where this is below 2^-1022.

    z = (k / 2048) log 2 + r with k = 2048 q + i, |r| < 2^-12.4:  exp(z) = 2^q 2^(i/2048) e^r.
    log 2 / 2048 is cut into 30 + 30 + 53 bits, so that the first two products with k are exact.
    """
    table = tables()
    zh = z.hi
    far = zh.size > 0 and zh.min() < -700.0  # where exp(z) alone is not a normal number
    if far:
        zh = np.maximum(zh, -1e4)
    k = zh * _INVERSE_STEP
    np.rint(k, out=k)
    r1 = zh - k * _STEP_1
    t = k * _STEP_2
    # r1 is a multiple of 2^-65 and ulp(t) is at most 2^-72 (or k = t = 0): r1 = r + t + rest.
    r = r1 - t
    rest = r1
    rest -= r
    rest -= t
    rest -= k * _STEP_3
    rest += z.lo
    # e^r - 1 = r + c, and e^(r + rest) - 1 = r + c + rest (1 + r + c).
    c = r * (1 / 120)
    c += 1 / 24
    c *= r
    c += 1 / 6
    c *= r
    c += 0.5
    c *= r
    c *= r
    np.add(r, c, out=t)
    t *= rest
    c += rest
    c += t
    whole = k.astype(np.int64)
    i = whole & (STEPS - 1)
    head, tail = table.exp2_head.take(i), table.exp2_tail.take(i)
    np.add(r, _TO_39_BITS, out=t)
    t -= _TO_39_BITS  # the leading bits of r
    r -= t
    c += r
    np.multiply(head, t, out=r)  # exact: 26 + 26 bits
    h = head + r
    low = h - head
    np.subtract(r, low, out=low)
    t *= tail
    head += tail
    head *= c
    t += head
    low += t
    low += tail
    hi = h + low
    lo = np.subtract(hi, h, out=h)
    np.subtract(low, lo, out=lo)
    whole >>= STEPS.bit_length() - 1
    whole += lift + 1023
    if far:
        np.maximum(whole, 0, out=whole)  # an exponent field of 0: times zero
    whole <<= 52
    power = whole.view(np.float64)
    hi *= power
    lo *= power
    return Pair(hi, lo)


def log1p(t: Pair) -> Pair:
    """log(1 + t) for t >= 0.

    1 + t = 2^e f with f in [1, 2), and r = c f - 1 with c = about 1/f from a table:
    log(1 + t) = e log 2 - log c + log1p(r), |r| < 2^-11.  Below 2^-10, r is t itself.
    """
    table = tables()
    small = t.hi < 2.0**-10
    s = two_sum(np.ones_like(t.hi), t.hi)
    f, e = np.frexp(s.hi)
    f = f + f
    e = np.where(small, 0, e - 1)
    rest = np.ldexp(s.lo + t.lo, -e)
    i = ((f - 1.0) * STEPS).astype(np.int64)
    c = table.reciprocal.take(i)
    f1, f2 = _split(f)  # both products with the 12 bits of c are exact
    r = two_sum(f1 * c - 1.0, f2 * c)
    r = fast_two_sum(r.hi, r.lo + rest * c)
    r = Pair(np.where(small, t.hi, r.hi), np.where(small, t.lo, r.lo))
    # log1p(r) = r - r^2/2 + r^3 P(r)
    x = r.hi
    square = two_product(x, x)
    p = 1 / 3 - x * (1 / 4 - x * (1 / 5 - x * (1 / 6 - x * (1 / 7 - x * (1 / 8)))))
    y = two_sum(x, -0.5 * square.hi)
    y_lo = y.lo + (r.lo - 0.5 * (square.lo + 2.0 * x * r.lo) + x * square.hi * p)
    large = ~small
    log_c = two_sum(e * _LOG2_HEAD, table.log_head.take(i) * large)
    log_c_lo = log_c.lo + (table.log_tail.take(i) * large + e * _LOG2_TAIL)
    result = two_sum(log_c.hi, y.hi)
    return fast_two_sum(result.hi, result.lo + (log_c_lo + y_lo))
