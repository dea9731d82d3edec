"""The tables hold the bits that mpmath finds."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from conformance.spec import double_double as dd
from conformance.spec.tables import STEPS, ln2_parts, tables


def cut(value, bits):
    """The leading bits of a positive number."""
    exponent = mpmath.frexp(value)[1]
    return mpmath.ldexp(mpmath.floor(mpmath.ldexp(value, bits - exponent)), exponent - bits)


def test_every_entry_is_what_mpmath_says():
    table = tables()
    with mpmath.workprec(300):
        for i in range(STEPS):
            power = mpmath.power(2, mpf(i) / STEPS)
            head = cut(power, 26)
            assert table.exp2_head[i] == head
            assert table.exp2_tail[i] == float(power - head)
            middle = 1 + (i + mpf(1) / 2) / STEPS
            c = mpmath.nint(2 * STEPS / middle) / (2 * STEPS)
            assert table.reciprocal[i] == c
            log = -mpmath.log(c)
            assert table.log_head[i] == float(log)
            assert table.log_tail[i] == float(log - mpf(float(log)))


def test_the_parts_of_log_2_are_what_mpmath_says():
    with mpmath.workprec(300):
        for divisor, bits in ((STEPS, (30, 30)), (1, (30,))):
            rest = mpmath.log(2) / divisor
            *heads, last = ln2_parts(divisor, bits)
            for head, width in zip(heads, bits, strict=True):
                assert head == cut(rest, width)
                rest -= head
            assert last == float(rest)


def relative(got, exact):
    return max(
        abs((mpf(float(h)) + mpf(float(low))) / e - 1)
        for h, low, e in zip(got.hi, got.lo, exact, strict=True)
    )


def pairs(rng, hi):
    return dd.Pair(hi, hi * 2.0**-54 * rng.uniform(-1, 1, hi.size))


@pytest.mark.parametrize("largest", [1e-3, 1.0, 40.0, 600.0])
def test_exp_has_75_bits(largest):
    rng = np.random.default_rng(1)
    z = pairs(rng, -largest * rng.random(2000))
    with mpmath.workprec(200):
        exact = [mpmath.exp(mpf(a) + mpf(b)) for a, b in zip(*z, strict=True)]
        assert relative(dd.exp(z, np.zeros(2000, np.int64)), exact) < mpf(2) ** -75


@pytest.mark.parametrize("range_of_logs", [(-300, -7), (-8, -5), (-7, 2), (0, 12)])
def test_log1p_has_72_bits(range_of_logs):
    rng = np.random.default_rng(2)
    t = pairs(rng, np.exp(rng.uniform(*range_of_logs, 2000)))
    with mpmath.workprec(700):
        exact = [mpmath.log1p(mpf(a) + mpf(b)) for a, b in zip(*t, strict=True)]
        assert relative(dd.log1p(t), exact) < mpf(2) ** -72


@pytest.mark.parametrize("count", [1, 2, 7, 1000, 100000])
def test_total_has_80_bits_of_the_magnitudes(count):
    rng = np.random.default_rng(count)
    terms = pairs(rng, rng.normal(0, 1, count) * np.exp(rng.uniform(-20, 20, count)))
    got = dd.total(terms)
    with mpmath.workprec(300):
        exact = mpmath.fsum([*map(mpf, terms.hi), *map(mpf, terms.lo)])
        size = mpmath.fsum(map(mpf, np.abs(terms.hi)))
        assert abs(mpf(float(got.hi)) + mpf(float(got.lo)) - exact) < size * mpf(2) ** -80
