"""Regimes: the named regions of the input space in which real implementations have failed.

A regime makes the logits of a batch, as float64 rows to be rounded to the dtype under test, and may
choose the target class of each row.  Names are part of the records: never reused for another thing.
The numbers in the gap regimes are where formats end: exp underflows at 103.97 (float32), 92.9
(bfloat16), 17.33 (float16) and 745.1 (float64); 16.1 and 46 are the caps -log(1e-7) and -log(1e-20)
of implementations that clip probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conformance.spec.formats import FloatFormat

Rows = NDArray[np.float64]
Classes = NDArray[np.int64]
Maker = Callable[[np.random.Generator, int, int, FloatFormat], tuple[Rows, Classes | None]]


@dataclass(frozen=True)
class Regime:
    """A named way of making logits (rows, classes) and, where it matters, their target classes."""

    name: str
    what: str
    make: Maker


def _any_target(rng: np.random.Generator, rows: int, classes: int) -> Classes:
    return rng.integers(0, classes, rows)


def _typical(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    return rng.standard_normal((rows, classes)) * rng.choice((1.0, 3.0)), None


def _tiny_differences(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    center = rng.uniform(1, 8, (rows, 1))
    steps = rng.integers(-3, 4, (rows, classes))
    return center * (1 + 2 * fmt.unit_roundoff * steps), None


def common_offset(fmt: FloatFormat) -> float:
    """A common offset at which an LSE rounded before the subtraction costs visible accuracy."""
    return {"float64": 2.0**27, "float32": 2.0**13, "float16": 2.0**9, "bfloat16": 2.0**9}[fmt.name]


def _common_offset(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    offset = rng.choice((-1.0, 1.0)) * common_offset(fmt) * rng.uniform(0.5, 1)
    return rng.normal(0, 2, (rows, classes)) + offset, None


def _row_offsets(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    # Rows whose offsets differ by more than exp can span: a maximum over the whole batch fails.
    span = {"float64": 1600.0}.get(fmt.name, 500.0)
    offsets = span * (rng.permutation(rows) - rows // 2)[:, None] / max(1, rows - 1)
    return rng.normal(0, 2, (rows, classes)) + offsets, None


def _spike(
    rng: np.random.Generator, rows: int, classes: int, height: NDArray[np.float64]
) -> tuple[Rows, Classes]:
    """Normal logits with the target's logit set to ``height`` in each row."""
    x = rng.normal(0, 0.5, (rows, classes))
    target = _any_target(rng, rows, classes)
    x[np.arange(rows), target] = height
    return x, target


def _confident_right(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    gaps: tuple[float, ...] = (2, 4, 6, 8, 10, 12, 17, 20, 25, 40, 90)
    if fmt.name == "float64":
        gaps += (300, 700)
    return _spike(rng, rows, classes, rng.choice(gaps, rows))


def _confident_wrong(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    gaps: tuple[float, ...] = (2.0, 5, 8, 9, 12, 14)
    if fmt.name != "float16":  # whose exp underflows there
        gaps += (18.0, 40.0)
    gap = rng.choice(gaps, rows)
    if rng.random() < 0.5:  # few rows would seldom meet the widest
        gap[rng.integers(rows)] = gaps[-1]
    return _spike(rng, rows, classes, -gap)


def _gap(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    gaps: tuple[float, ...] = (17.0, 20, 48, 60, 92, 106, 120, 400)
    if fmt.name == "float64":
        gaps += (760.0, 1000.0)
    # Half of the batches have one gap for all rows: in a mean the widest hides the others.
    gap = rng.choice(gaps, rows) if rng.random() < 0.5 else np.full(rows, rng.choice(gaps))
    return _spike(rng, rows, classes, -gap)


def _ties(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    x = rng.integers(-2, 3, (rows, classes)).astype(float)
    x[rng.random(rows) < 0.5] = rng.normal(0, 3)
    return x, None


def _masked(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    # -inf at any class but the target, often at a prefix or suffix of the class axis: whole blocks.
    x = rng.normal(0, 2, (rows, classes))
    target = _any_target(rng, rows, classes)
    mask = rng.random((rows, classes)) < rng.choice((0.2, 0.5, 0.9))
    cut = rng.integers(0, classes + 1)
    mask |= (np.arange(classes) < cut) if rng.random() < 0.5 else (np.arange(classes) >= cut)
    mask[np.arange(rows), target] = False
    return np.where(mask, -np.inf, x), target


def _masked_tiles(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    # Half of the classes and more, on one side of the target: every tile of up to C/2 of them.
    x = rng.standard_normal((rows, classes))
    target = rng.integers(min(classes // 2 + 1, classes - 1), classes, rows)
    _lose(rng, x, target, target - 1)
    x[np.arange(classes) < target[:, None] - 1] = -np.inf
    mirrored = rng.random(rows) < 0.5
    x[mirrored] = x[mirrored, ::-1]
    return x, np.where(mirrored, classes - 1 - target, target)


def _large(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    # Small enough that weighted sums over the classes and rows of a small batch still fit.
    x, target = _near_overflow(rng, rows, classes, fmt)
    return x / 64, target


def _near_overflow(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    # A quarter of the largest number: the difference of any two logits still fits.
    top = fmt.largest / 4
    x = rng.uniform(-1, 1, (rows, classes)) * top * rng.choice((1.0, 2.0**-4), (rows, 1))
    x[:, 0] = np.where(rng.random(rows) < 0.5, top, -top)
    return x, None


def _subnormal(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    return rng.normal(0, 1, (rows, classes)) * fmt.smallest_normal / 8, None


def _two_peaks(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    x = rng.normal(-30, 1, (rows, classes))
    target = _any_target(rng, rows, classes)
    x[np.arange(rows), (target + 1) % classes] = rng.normal(0, 1, rows)
    x[np.arange(rows), target] = 0
    return x, target


def _at_an_edge(rng: np.random.Generator, rows: int, classes: int, last: bool = False) -> Classes:
    """Classes where a tile begins or ends; only of the last tile, which may be a partial one."""
    tile = 2 ** int(rng.integers(2, min(13, max(3, (classes - 1).bit_length()))))
    begin = (classes - 1) // tile * tile
    places = [begin, classes - 1, int(rng.integers(begin, classes))]
    if not last:
        places += [0, max(0, begin - 1)]
    return rng.choice(places, rows)


def _two_at_edges(rng: np.random.Generator, target: Classes, classes: int) -> Rows:
    """Every second row is won by another class than the target, and the remaining ones are flat."""
    x = rng.standard_normal((target.size, classes))
    winner = _at_an_edge(rng, target.size, classes)
    _lose(rng, x, target, np.where(winner == target, (winner + 1) % classes, winner))
    return x


def _lose(rng: np.random.Generator, x: Rows, target: Classes, winner: Classes) -> None:
    """Let the winner win every second row; the rest of it counts for little.

    With the largest logit 0 its bound is then small in every dtype.  (That of as many merges as
    there are classes grows with their square.)  The remaining rows stay flat: there all count.
    """
    classes = x.shape[1]
    peaked = np.arange(0, target.size, 2)
    # 7 to 9: the target's probability, e^-gap, is a normal number of float16.  Beyond 5000 classes
    # C^2 e^-gap, and with it that bound, stays what it is there: e^10.
    gap = max(7.0, 2 * np.log(classes) - 10) + rng.uniform(0, 2, peaked.size)
    x[peaked] -= np.log(classes) + gap[:, None] + 1
    x[peaked, target[peaked]] = -gap
    x[peaked, winner[peaked]] = 0


def _edges(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    target = _at_an_edge(rng, rows, classes)
    return _two_at_edges(rng, target, classes), target


def _vocabulary(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    # The first row is a peaked one, which can be judged in every dtype: its label is a large one.
    target = _at_an_edge(rng, rows, classes)
    target[:1] = _at_an_edge(rng, 1, classes, last=True)
    return _two_at_edges(rng, target, classes), target


def _last_tile(
    rng: np.random.Generator, rows: int, classes: int, fmt: FloatFormat
) -> tuple[Rows, Classes | None]:
    target = _at_an_edge(rng, rows, classes, last=True)
    return _two_at_edges(rng, target, classes), target


TILES = tuple(f"tile-{size}" for size in (32, 64, 128, 256, 512, 1024, 2048, 4096))
"""Class counts of a power of two, one less and one more."""

BATCHES = tuple(f"rows-{size}" for size in (256, 1024, 4096, 65536))
"""The same for the rows."""

REGIMES: dict[str, Regime] = {
    regime.name: regime
    for regime in (
        Regime("typical", "normal logits, scale 1 or 3", _typical),
        Regime("tiny-differences", "logits a few ulp apart", _tiny_differences),
        Regime("common-offset", "one large offset common to all logits", _common_offset),
        Regime("row-offsets", "rows far apart from one another", _row_offsets),
        Regime("confident-right", "the target wins by a gap: the loss is tiny", _confident_right),
        Regime("confident-wrong", "the target loses by up to 14, or 40", _confident_wrong),
        Regime("gap", "the target loses by more than exp can span", _gap),
        Regime("ties", "many equal logits", _ties),
        Regime("masked", "-inf at classes other than the target", _masked),
        Regime("masked-tiles", "-inf at all classes on one side of the target", _masked_tiles),
        Regime("large", "logits up to 1/256 of the largest number", _large),
        Regime("near-overflow", "logits up to a quarter of the largest number", _near_overflow),
        Regime("subnormal", "logits below the smallest normal number", _subnormal),
        Regime("two-peaks", "two competing classes, the rest far below", _two_peaks),
        Regime("wide", "class counts around tiles: 31..33, 127..129, 513..1025", _typical),
        Regime("many-rows", "hundreds to thousands of rows", _typical),
        *(Regime(name, f"class counts around {name[5:]}", _edges) for name in TILES),
        Regime("odd-classes", "odd class counts between 513 and 1023", _edges),
        Regime("last-tile", "targets in the last, partial tile of the classes", _last_tile),
        Regime("vocabulary", "the class counts of language models", _vocabulary),
        *(Regime(name, f"row counts around {name[5:]}", _edges) for name in BATCHES),
    )
}

SIZES = (*TILES, "odd-classes", "last-tile", "vocabulary", "masked-tiles", *BATCHES)
"""The regimes that are about sizes alone."""

FINITE = tuple(name for name in REGIMES if name not in ("masked", *SIZES))
"""All regimes with finite logits, of ordinary sizes."""

SMALL = tuple(name for name in FINITE if name not in ("near-overflow", "wide", "many-rows"))
"""The finite regimes at small shapes in which weighted sums stay representable."""

ORDINARY = (
    "typical",
    "tiny-differences",
    "confident-right",
    "confident-wrong",
    "ties",
    "two-peaks",
)
"""Regimes in which every sane arithmetic is accurate and bounds are sharp."""

SHARP = ("confident-wrong", "gap")
"""Regimes in which a bound is small beside the loss in every dtype: the loss is at least 2."""
