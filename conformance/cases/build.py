"""From a Draw, a handful of numbers, to a Case: everything is drawn first, then projected.

The same Draw gives the same case on every implementation that supports what the case uses; where an
implementation lacks an option, that option is dropped and nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.cases.regimes import REGIMES, common_offset
from conformance.cases.space import Space
from conformance.spec.formats import FloatFormat

Array = NDArray[Any]

SMALL_ROWS = (1, 2, 3, 4, 6, 5, 8)
SMALL_CLASSES = (2, 3, 4, 5, 7, 10, 1)
WIDE_CLASSES = (513, 127, 33, 1025, 128, 129, 31, 32)
"""Around tiles; those first that find most, since few cases show only the first."""
MANY_ROWS = (256, 1000)

SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "wide": ((2, 3), WIDE_CLASSES),
    "many-rows": (MANY_ROWS, (3, 10)),
    **{f"tile-{n}": ((3, 2, 5, 4), (n + 1, n - 1, n)) for n in (32, 64, 128, 256, 512)},
    **{f"tile-{n}": ((3, 2), (n + 1, n - 1, n)) for n in (1024, 2048, 4096)},
    "odd-classes": ((3, 2, 5, 4), (513, 1021, 775, 641, 1023, 897, 515, 769)),
    "last-tile": ((3, 2, 5, 4), (33, 1000, 257, 129, 4097, 100, 513, 2050, 65, 1025)),
    "masked-tiles": ((3, 2), (140001, 1025, 129, 4097, 33)),
    "vocabulary": ((2, 3), (128256, 50257, 151936, 32000)),
    "rows-256": ((257, 255, 256, 511), (3, 2, 5)),
    "rows-1024": ((1025, 1023, 1024, 2049), (2, 3, 5)),
    "rows-4096": ((4097, 4095), (3, 2)),
    "rows-65536": ((65537, 65535), (2, 3)),
}
"""The (rows, classes) of regimes that are about sizes; those first that find most."""


@dataclass(frozen=True)
class Draw:
    """A case in a few numbers; ``build`` makes the case, always the same."""

    regime: str
    seed: int
    """Decides values and options; 64 bits."""
    rows: int
    classes: int
    edits: tuple[int, ...] = ()
    """Explicit changes of single logits, each packed into an integer (see ``_edit``)."""


def size_choices(regime: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The (rows, classes) that a regime draws from."""
    return SIZES.get(regime, (SMALL_ROWS, SMALL_CLASSES))


def build(draw: Draw, space: Space, narrow: Space, fmt: FloatFormat) -> tuple[Case, bool]:
    """The case of ``draw``, and whether ``narrow`` left it as ``space`` drew it.

    Args:
        draw: the numbers that decide.
        space: what the property asks about; ``narrow`` the part that the implementation supports.
        fmt: the format of the logits.
    """
    rng = _stream(draw.seed, 0)
    choose = _Chooser(rng, space, narrow)
    rows = max(draw.rows, space.min_rows)
    classes = max(draw.classes, space.min_classes)
    shape = choose("shapes")
    soft = choose("targets") == "probabilities"
    ignored = choose("ignored")
    ignore_kind = choose("ignore_indices")
    weight_kind = choose("weights")
    smoothing = choose("smoothings")
    reduction = choose("reductions")
    layout = choose("layouts")
    target_dtype = choose("target_dtypes")
    classes = min(classes, int(np.iinfo(target_dtype).max))
    if shape == "unbatched":
        rows = 1
    if shape == "spatial" and rows > 1:
        rows *= 2  # several samples of several positions each

    regime = REGIMES[draw.regime]
    x, forced = regime.make(rng, rows, classes, fmt)
    target = forced if forced is not None else rng.integers(0, classes, rows)
    # A stream of their own, so that they can be left out and nothing else changes.
    probabilities = _probabilities(_stream(draw.seed, 1), target, classes) if soft else None
    cotangent = _cotangent(rng, rows)
    dropped = _ignored_rows(rng, ignored, rows)
    ignore_index = _ignore_index(ignore_kind, classes, target_dtype)
    if layout == "expanded":  # all rows are the first one
        x[:] = x[0]
        cotangent[:] = cotangent[-1]
        if forced is not None:
            target[:] = target[0]
    for edit in draw.edits:
        _edit(x, edit, fmt)

    counted = np.arange(rows)
    if soft or dropped is None:
        ignore_index = None
    else:
        value = -100 if ignore_index is None else ignore_index
        clash, other = target == value, (value + 1) % classes
        if forced is not None and clash.any():  # the target's logit, which makes the regime, moves
            x[np.ix_(clash, [value, other])] = x[np.ix_(clash, [other, value])]
        target[clash] = other
        target[dropped] = value
        counted, alike = np.flatnonzero(~dropped), _alike(value)
        if forced is None and counted.size and alike < classes:
            target[counted[0]] = alike
    weight = _weight(rng, weight_kind, classes, target[counted])
    dims = _dims(rng, shape, rows)
    case = Case(
        logits=_placed(_rounded(x, fmt), dims),
        target=(
            _placed(_rounded(probabilities, fmt), dims)
            if probabilities is not None
            else target.astype(target_dtype).reshape(dims)
        ),
        weight=None if weight is None else _rounded(weight, fmt),
        ignore_index=ignore_index,
        label_smoothing=smoothing,
        reduction=reduction,
        cotangent=_rounded(cotangent, fmt).reshape(dims)
        if reduction == "none"
        else _rounded(cotangent[-1:], fmt).reshape(()),
        layout=layout,
        regime=draw.regime,
    )
    return case, choose.projected


def _stream(seed: int, number: int) -> np.random.Generator:
    """One of the independent streams of random numbers of a draw."""
    return np.random.Generator(np.random.Philox(key=np.array((seed, number), np.uint64)))


class _Chooser:
    """Chooses a value of each axis: from the whole space, then projected into its narrow part.

    Every second case is crowded: no option has its plainest value.  Faults that need three or four
    options at once would be too rare if each was drawn by itself.
    """

    CROWDED = ("shapes", "weights", "ignored", "smoothings")

    def __init__(self, rng: np.random.Generator, space: Space, narrow: Space) -> None:
        crowded, *numbers = rng.integers(0, 2**31, 12).tolist()
        self.crowded = crowded % 2 == 0
        self.numbers = iter(numbers)
        self.space, self.narrow = space, narrow
        self.projected = False

    def __call__(self, axis: str) -> Any:
        number = next(self.numbers)
        wanted, offered = getattr(self.space, axis), getattr(self.narrow, axis)
        if self.crowded and axis in self.CROWDED:
            wanted = wanted[1:] or wanted
        value = wanted[number % len(wanted)]
        if value in offered:
            return value
        self.projected = True
        return offered[number % len(offered)]


def _rounded(values: NDArray[np.float64], fmt: FloatFormat) -> Array:
    """Rounded to the format; what would overflow is clipped to its largest number."""
    clipped = np.where(np.isfinite(values), np.clip(values, -fmt.largest, fmt.largest), values)
    return clipped.astype(fmt.dtype)


def _probabilities(
    rng: np.random.Generator, target: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Rows that sum to one, one-hot rows, and rows that sum to something else.

    The target has the largest probability, so that a regime means the same as for class indices.
    """
    each = np.arange(target.size)
    q = rng.exponential(1.0, (target.size, classes)) ** 2
    largest = q.argmax(1)
    q[each, largest], q[each, target] = q[each, target], q[each, largest]
    q /= q.sum(axis=1, keepdims=True)
    kind = rng.integers(0, 4, target.size)
    if rng.random() < 0.5:  # one kind of rows: whoever has one-hot labels has no others
        kind[:] = rng.choice((1, 1, 1, 0, 2, 3))
    q[kind == 1] = np.arange(classes) == target[kind == 1, None]
    q[kind == 2] *= 0.5
    q[kind == 3] += 0.25
    return q


def _weight(
    rng: np.random.Generator, kind: str, classes: int, asked: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Class weights (C,); ``asked`` are the classes of the rows that count."""
    weight = rng.uniform(0.25, 3.0, classes)
    if kind == "none":
        return None
    if kind == "ones":
        return np.ones(classes)
    if kind == "some-zero":
        silent = rng.random(classes) < 0.4
        different = np.unique(asked)
        if different.size > 1:  # one row at least is silent, and one is not
            silent[rng.permutation(different)[:2]] = True, False
        weight[silent] = 0.0
    if kind == "negative":
        negative = rng.random(classes) < 0.4
        # At least one, which a row asks for if any row counts.
        negative[rng.choice(asked) if asked.size else 0] = True
        weight[negative] *= -1.0
    return weight


def _cotangent(rng: np.random.Generator, rows: int) -> NDArray[np.float64]:
    """Never uniform: a zero first, negative and positive numbers of different size after it."""
    size: NDArray[np.float64] = rng.choice((0.5, 1.0, 3.0), rows)
    g = rng.normal(0, 1, rows) * size
    if rows > 2:
        g[0] = 0.0
    return g


def _ignored_rows(rng: np.random.Generator, kind: str, rows: int) -> NDArray[np.bool_] | None:
    """Which rows are ignored: a mask (rows,), or None when no row is."""
    if kind == "none" or (rows == 1 and kind != "all"):
        return None
    if kind == "all":
        return np.ones(rows, bool)
    dropped = np.ones(rows, bool) if kind == "all-but-one" else rng.random(rows) < 0.5
    lost, kept = rng.permutation(rows)[:2]
    dropped[lost], dropped[kept] = True, False
    return dropped


def _ignore_index(kind: str, classes: int, target_dtype: str) -> int | None:
    limits = np.iinfo(target_dtype)
    if kind == "in-range" and classes > 1:
        return 0
    if kind == "last" and classes > 1:
        return classes - 1
    if kind == "default" and limits.min < 0:
        return None
    if kind == "negative" and limits.min < 0:
        return -1
    return min(max(255, classes + 2), int(limits.max))  # beyond; also where nothing else fits


def _alike(label: int) -> int:
    """The smallest class that is another label and has its last eight bits."""
    return label % 256 if label % 256 != label else label + 256


EDITS = (0.0, 1.0, -1.0, -0.0, 3.5, -3.5, 12.0, -12.0, 40.0, -40.0, 120.0, -120.0)


def _edit(x: NDArray[np.float64], edit: int, fmt: FloatFormat) -> None:
    """Set one logit: the packed integer holds row, class and which value."""
    rows, classes = x.shape
    values = (*EDITS, common_offset(fmt), -common_offset(fmt), fmt.smallest_subnormal)
    row, column = edit % rows, (edit // 16) % classes
    if np.isfinite(x[row, column]):
        x[row, column] = values[(edit // 4096) % len(values)]


def _dims(rng: np.random.Generator, shape: str, rows: int) -> tuple[int, ...]:
    """The shape of the target of class indices: () | (N,) | (N, d1, ..)."""
    if shape == "unbatched":
        return ()
    if shape == "batched":
        return (rows,)
    splits = [d for d in (1, 2, 3, 4) if rows % d == 0]
    inner = splits[int(rng.integers(len(splits)))]
    outer = rows // inner
    shapes: tuple[tuple[int, ...], ...] = (
        (outer, inner),
        (outer, inner, 1),
        (1, outer, inner),
        (outer, 1, inner, 1),
    )
    return shapes[int(rng.integers(len(shapes)))]


def _placed(rows_by_classes: Array, dims: tuple[int, ...]) -> Array:
    """Rows (M, C) as logits (C,), (N, C) or (N, C, d1, ..): the class axis comes second."""
    classes = rows_by_classes.shape[1]
    if not dims:
        return rows_by_classes.reshape(classes)
    shaped = rows_by_classes.reshape(*dims, classes)
    return np.ascontiguousarray(np.moveaxis(shaped, -1, 1))
