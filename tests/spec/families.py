"""Adversarial rows of logits, as float64 values that the format under test can hold exactly."""

from __future__ import annotations

import numpy as np

from conformance.spec.formats import FloatFormat

OFFSET = {"float64": 1e8, "float32": 1e4, "float16": 1e3, "bfloat16": 1e3}


def _target(rng, rows, classes):
    return rng.integers(0, classes, rows)


def _normal(scale):
    def family(rng, rows, classes, fmt):
        return rng.normal(0, scale, (rows, classes)), _target(rng, rows, classes)

    return family


def _uniform(rng, rows, classes, fmt):
    return rng.uniform(-60, 60, (rows, classes)), _target(rng, rows, classes)


def _equal(rng, rows, classes, fmt):
    return np.repeat(rng.normal(0, 3, (rows, 1)), classes, 1), _target(rng, rows, classes)


def _offset(rng, rows, classes, fmt):
    offset = rng.choice([-1, 1], (rows, 1)) * OFFSET[fmt.name] * rng.uniform(0.5, 1, (rows, 1))
    return rng.normal(0, 2, (rows, classes)) + offset, _target(rng, rows, classes)


def _neighbours(rng, rows, classes, fmt):
    steps = 2 * fmt.unit_roundoff * rng.integers(-2, 3, (rows, classes))
    return rng.uniform(1, 8, (rows, 1)) * (1 + steps), _target(rng, rows, classes)


def _one_above(rng, rows, classes, fmt):
    """One maximum, all others equal: the sum is biased as much as it can be."""
    x = np.repeat(-rng.uniform(0, 4, (rows, 1)), classes, 1)
    x[:, 0] = 0
    return x, _target(rng, rows, classes)


def _spike(rng, rows, classes, height):
    x, target = rng.normal(0, 0.5, (rows, classes)), _target(rng, rows, classes)
    x[np.arange(rows), target] = height
    return x, target


def _right(rng, rows, classes, fmt):
    gaps = [2, 4, 8, 12, 17, 25, 40, 90] + ([300, 690] if fmt.precision == 53 else [])
    return _spike(rng, rows, classes, rng.choice(gaps, rows))


def _wrong(rng, rows, classes, fmt):
    return _spike(rng, rows, classes, -rng.choice([2, 5, 8, 9, 12, 15, 30, 80], rows))


def _far_wrong(rng, rows, classes, fmt):
    """Beyond what exp can span in any format."""
    return _spike(rng, rows, classes, -rng.choice([120, 400, 800, 1500], rows))


def _geometric(rng, rows, classes, fmt):
    x = -np.arange(classes) * rng.uniform(0.01, 3, (rows, 1))
    x = np.maximum(x, -200 * rng.uniform(0.2, 1, (rows, 1)))
    return rng.permuted(x, axis=1), _target(rng, rows, classes)


def _subnormal(rng, rows, classes, fmt):
    scale = fmt.smallest_normal / 8
    return rng.normal(0, scale, (rows, classes)), _target(rng, rows, classes)


def _two_peaks(rng, rows, classes, fmt):
    x, target = rng.normal(-30, 1, (rows, classes)), _target(rng, rows, classes)
    x[np.arange(rows), target] = 0
    x[np.arange(rows), (target + 1) % classes] = rng.normal(0, 1, rows)
    return x, target


def _language_model(rng, rows, classes, fmt):
    x = rng.normal(-8, 3, (rows, classes))
    return x, np.where(rng.random(rows) < 0.7, x.argmax(1), _target(rng, rows, classes))


FAMILIES = {
    "normal": _normal(1),
    "normal-5": _normal(5),
    "normal-20": _normal(20),
    "uniform": _uniform,
    "equal": _equal,
    "offset": _offset,
    "neighbours": _neighbours,
    "one-above": _one_above,
    "right": _right,
    "wrong": _wrong,
    "far-wrong": _far_wrong,
    "geometric": _geometric,
    "subnormal": _subnormal,
    "two-peaks": _two_peaks,
    "language-model": _language_model,
}


def make(family: str, seed: int, rows: int, classes: int, fmt: FloatFormat):
    """Logits (rows, classes) in the dtype of the format, and int64 targets (rows,)."""
    rng = np.random.default_rng([seed, rows, classes, list(FAMILIES).index(family), fmt.precision])
    x, target = FAMILIES[family](rng, rows, classes, fmt)
    return x.astype(fmt.dtype), target.astype(np.int64)
