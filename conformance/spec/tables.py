"""Tables of the double-double exponential and logarithm, from integer arithmetic alone.

Every entry is worked out with 240 fractional bits and then split into float64 numbers; the tests
compare each bit with mpmath.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

STEPS = 2048
"""Table entries: an octave of exp2, a binade of log."""
FRACTION = 240
"""Bits behind the binary point of the integers below."""


@dataclass(frozen=True)
class Tables:
    """Constants of `double_double.exp` and `double_double.log1p`."""

    exp2_head: Float64
    """2^(i/2048) cut to 26 bits: its product with another 26-bit number is exact."""
    exp2_tail: Float64
    """2^(i/2048) - head."""
    reciprocal: Float64
    """c_i: about 1/f for f in [1 + i/2048, 1 + (i+1)/2048), with 12 bits."""
    log_head: Float64
    """-log(c_i), rounded."""
    log_tail: Float64
    """-log(c_i) - head."""


@cache
def tables() -> Tables:
    """The tables, made on first use in a few milliseconds."""
    root = 2 << FRACTION
    for _ in range(STEPS.bit_length() - 1):  # 2^(1/2048) by repeated square roots
        root = isqrt(root << FRACTION)
    power = 1 << FRACTION
    powers = []
    for _ in range(STEPS):
        powers.append(power)
        power = power * root >> FRACTION
    exp2 = [_split(value, bits=26) for value in powers]

    logs = {2 * STEPS: 0}  # n -> log(4096 / n)
    for n in range(2 * STEPS, STEPS, -1):
        logs[n - 1] = logs[n] + 2 * _atanh_of_reciprocal(2 * n - 1)
    numerators = [_nearest(2 * STEPS * 2 * STEPS, 2 * STEPS + 2 * i + 1) for i in range(STEPS)]
    log = [_split(logs[n]) for n in numerators]
    exp2_head, exp2_tail = np.array(exp2).T.copy()
    log_head, log_tail = np.array(log).T.copy()
    reciprocal = np.array(numerators) / (2 * STEPS)
    return Tables(exp2_head, exp2_tail, reciprocal, log_head, log_tail)


def ln2_parts(divisor: int, bits: tuple[int, ...]) -> tuple[float, ...]:
    """log(2)/divisor as a sum of floats: one of each number of bits, then a rounded rest."""
    rest = 2 * _atanh_of_reciprocal(3) // divisor
    parts = []
    for width in bits:
        head, _ = _split(rest, bits=width)
        parts.append(head)
        rest -= _integer(head)
    return (*parts, _float(rest))


def _atanh_of_reciprocal(n: int) -> int:
    """atanh(1/n) = 1/n + 1/(3 n^3) + 1/(5 n^5) + .."""
    total, term, k = 0, (1 << FRACTION) // n, 1
    while term:
        total += term // k
        term //= n * n
        k += 2
    return total


def _split(value: int, bits: int = 53) -> tuple[float, float]:
    """The leading bits (cut; rounded where there are 53) and the rounded rest."""
    if bits == 53:
        head = _float(value)
    else:
        drop = max(0, value.bit_length() - bits)
        head = _float(value >> drop << drop)
    return head, _float(value - _integer(head))


def _float(value: int) -> float:
    return value / (1 << FRACTION)  # integer division in Python rounds correctly


def _integer(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()
    return (numerator << FRACTION) // denominator


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
