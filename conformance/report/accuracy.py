"""How accurate, not only whether right: errors in ulp and the share of the bound, as pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from markupsafe import Markup

from conformance.records.witness import decode_case
from conformance.report.charts import Scale, bars, dots, figure, label, rules
from conformance.report.disagreement import FAILED, WRONG
from conformance.report.run import Cell, Column, Record, Run
from conformance.report.text import number
from conformance.report.witness import LittleTable, table_of

BUCKETS = 14
"""Errors in ulp: 0, (0, .5], (.5, 1], (1, 2], .., (512, 1024], more or not finite."""

_CLASSES = (0.01, 0.05, 0.2, 0.5)
"""Where the shading of a bucket changes, by the share of errors in it."""


@dataclass(frozen=True)
class Errors:
    """The errors of one quantity (the loss or the gradient) in some regimes."""

    count: int = 0
    ulp: float = 0.0
    ratio: float = 0.0
    """The largest error, as a share of its bound."""
    histogram: tuple[int, ...] = (0,) * BUCKETS
    outside: int = 0
    """Cases with a wrong answer, which has no place among these errors."""
    asked: int = 0
    """The cases among which they were counted: all, in older records the shared ones."""
    elsewhere: bool = False
    """Whether an answer was wrong to a case that is none of these."""

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.count + other.count,
            max(self.ulp, other.ulp),
            max(self.ratio, other.ratio),
            tuple(a + b for a, b in zip(self.histogram, other.histogram, strict=True)),
            self.outside + other.outside,
            self.asked + other.asked,
            self.elsewhere or other.elsewhere,
        )

    @property
    def left_out(self) -> str:
        """How many cases are not among the errors: ``12/36``; nothing where all are."""
        if self.outside:
            return f"{self.outside}/{self.asked}"
        return "some" if self.elsewhere else ""


@dataclass(frozen=True)
class Line:
    """A row of a figure or table: the loss's and the gradient's errors in each dtype."""

    label: str
    loss: Mapping[str, Errors]
    gradient: Mapping[str, Errors]


@dataclass(frozen=True)
class Largest:
    """The largest error of a quantity in a dtype, as a share of its bound or in ulp, and where it
    was seen."""

    quantity: str
    dtype: str
    ratio: float
    """The largest error of that answer, as a share of its bound."""
    ulp: object
    """The largest error of the same answer, in ulp."""
    regime: str
    case: LittleTable | None
    """The input; None where the records do not have it."""


def overview(run: Run) -> list[Line]:
    """A line an implementation, over all regimes, with the count of what is not among the errors;
    those without either are left out."""
    found = []
    for column in run.columns:
        lines, outside = by_regime(run, column), left_out(run, column)
        sides = [
            _total([*(getattr(line, side) for line in lines), getattr(outside, side)])
            for side in ("loss", "gradient")
        ]
        if any(sides):
            found.append(Line(column.label, *sides))
    return found


def left_out(run: Run, column: Column) -> Line:
    """How many cases were answered wrongly, where errors are kept: no figure has them."""
    measured = {cell.slug for cell in run.cells if cell.record["accuracy"]}
    sides: dict[str, dict[str, Errors]] = {"loss": {}, "gradient": {}}
    for cell in run.of(column):
        wrong = cell.record["outcome"] in WRONG
        if cell.slug in measured and (cell.asked or wrong):
            asked, outside = _failed(cell)
            at = sides[_side(cell)]
            count = Errors(outside=outside, asked=asked, elsewhere=wrong and not outside)
            at[cell.dtype] = at.get(cell.dtype, Errors()) + count
    return Line(column.label, sides["loss"], sides["gradient"])


def _failed(cell: Cell) -> tuple[int, int]:
    """The cases of a cell, and how many were answered wrongly; in older records the shared ones."""
    if (failed := cell.record.get("failed")) is not None:
        return cell.asked, int(failed)
    letters = str(cell.record["corpus"])
    return len(letters) - letters.count("-"), sum(letter in FAILED for letter in letters)


def total(run: Run, column: Column) -> Line | None:
    """The errors of an implementation over all regimes; None where none were recorded."""
    lines = by_regime(run, column)
    if not lines:
        return None
    loss, gradient = [line.loss for line in lines], [line.gradient for line in lines]
    return Line(column.label, _total(loss), _total(gradient))


def by_regime(run: Run, column: Column) -> list[Line]:
    """A line a regime, in the order in which they are first seen."""
    sides: dict[str, dict[str, dict[str, Errors]]] = {}
    for cell in run.of(column):
        for regime, entry in (cell.record["accuracy"] or {}).items():
            at = sides.setdefault(regime, {"loss": {}, "gradient": {}})[_side(cell)]
            at[cell.dtype] = at.get(cell.dtype, Errors()) + _errors(entry)
    return [Line(regime, side["loss"], side["gradient"]) for regime, side in sides.items()]


def largest(run: Run, column: Column, by: Literal["ratio", "ulp"]) -> list[Largest]:
    """The largest error of the loss and of the gradient in each dtype: as a share of its bound, or
    in ulp, which older records do not have."""
    found: dict[tuple[str, str], Record] = {}
    for cell in run.of(column):
        answer: Record | None = cell.record.get({"ratio": "worst", "ulp": "most_ulp"}[by])
        at = (_side(cell), cell.dtype)
        if not answer or not cell.record["accuracy"]:
            continue
        if _size(answer[by]) >= _size(found.get(at, answer)[by]):
            found[at] = answer
    return [
        Largest(side, dtype, _size(w["ratio"]), w["ulp"], w["regime"], _table(w.get("case")))
        for side in ("loss", "gradient")
        for dtype in run.dtypes
        if (w := found.get((side, dtype)))
    ]


def _table(case: Mapping[str, Any] | None) -> LittleTable | None:
    return table_of(decode_case(case)) if case else None


def _side(cell: Cell) -> str:
    return "gradient" if "gradient" in cell.slug else "loss"


def dtypes_of(lines: Sequence[Line], dtypes: Sequence[str]) -> list[str]:
    """Those of the dtypes in which some line has errors."""
    return [d for d in dtypes if any(d in line.loss or d in line.gradient for line in lines)]


def _total(sides: Sequence[Mapping[str, Errors]]) -> dict[str, Errors]:
    """The errors of several regimes together, by dtype."""
    found: dict[str, Errors] = {}
    for side in sides:
        for dtype, errors in side.items():
            found[dtype] = found.get(dtype, Errors()) + errors
    return found


def _errors(entry: Mapping[str, Any]) -> Errors:
    counts = [int(n) for n in entry["histogram"]]
    # Fewer buckets: the last one, without an upper end, is drawn at the far right all the same.
    counts = counts[:-1] + [0] * (BUCKETS - len(counts)) + counts[-1:]
    return Errors(
        int(entry["count"]), _size(entry["max_ulp"]), _size(entry["max_ratio"]), tuple(counts)
    )


def _size(value: object) -> float:
    size = float(str(value))
    return math.inf if math.isnan(size) else size


_LEFT, _ROW, _TOP = 160, 19, 34
_BOX = 13
"""Pixels a bucket is wide, its gap included; the style's dashes draw the gaps."""


def distributions(lines: Sequence[Line], dtypes: Sequence[str], title: str) -> Markup:
    """Heat strips: a panel a dtype, a row a line (loss above gradient), a column a bucket."""
    panel, ticks = _BOX * BUCKETS + 46, ((1, "0"), (3, "1"), (7, "16"), (10, "128"), (13, "1024"))
    bottom = _TOP + _ROW * len(lines)
    parts = [_row_labels(lines)]
    for index, dtype in enumerate(dtypes):
        left = _LEFT + index * panel
        places = [(left + edge * _BOX, text) for edge, text in ticks]
        parts += _frame(left, dtype, places, bottom)
        for side, offset in (("loss", 5), ("gradient", 12)):
            parts += _strips(lines, side, dtype, left, offset)
        parts += _outside(lines, dtype, left + _BOX * BUCKETS + 2)
    return figure(_LEFT + len(dtypes) * panel - 6, bottom + 20, parts, title)


def _strips(
    lines: Sequence[Line], side: str, dtype: str, left: float, offset: float
) -> list[Markup]:
    """The occupied buckets of a panel, one path a shade; neighbours of one shade are one stroke."""
    shades: list[list[tuple[float, float, float]]] = [[] for _ in range(len(_CLASSES) + 1)]
    for row, entry in enumerate(lines):
        errors = getattr(entry, side).get(dtype)
        counts = errors.histogram if errors else ()
        shade_of = [sum(n / errors.count > edge for edge in _CLASSES) if n else -1 for n in counts]
        start = 0
        for shade, run in groupby(shade_of):
            length = len(list(run))
            if shade >= 0:
                stroke = (left + start * _BOX, _TOP + row * _ROW + offset, _BOX * length - 1)
                shades[shade].append(stroke)
            start += length
    return [bars(found, f"strip {side} shade{shade}") for shade, found in enumerate(shades)]


def shares(lines: Sequence[Line], dtypes: Sequence[str], title: str) -> Markup:
    """Marks: the largest error as a share of its bound, on a log scale with the bound at 1."""
    width, panel = 166, 216
    ticks = ((0.001, ".001"), (0.1, "0.1"), (1, "1"), (10, "10"), (100, "100+"))
    bottom = _TOP + _ROW * len(lines)
    parts = [_row_labels(lines)]
    for index, dtype in enumerate(dtypes):
        left = _LEFT + index * panel
        x = Scale(0.001, 100, left, left + width, log=True)
        parts += _frame(left, dtype, [(x(value), text) for value, text in ticks], bottom)
        parts.append(rules([((x(1), _TOP - 6), (x(1), bottom + 2))], "limit"))
        for side in ("loss", "gradient"):
            found = [
                (x(errors.ratio), _TOP + row * _ROW + 8)
                for row, entry in enumerate(lines)
                if (errors := getattr(entry, side).get(dtype)) and errors.count
            ]
            parts.append(dots(found, f"dot {side}"))
        parts += _outside(lines, dtype, left + width + 6)
    return figure(_LEFT + len(dtypes) * panel - 14, bottom + 20, parts, title)


def _outside(lines: Sequence[Line], dtype: str, x: float) -> list[Markup]:
    """Beside each row of a panel: how many cases of how many are not in it."""
    none = Errors()
    both = [line.loss.get(dtype, none) + line.gradient.get(dtype, none) for line in lines]
    return [
        label(x, _TOP + row * _ROW + 12, errors.left_out, "outside", "start")
        for row, errors in enumerate(both)
        if errors.left_out
    ]


def _frame(
    left: float, dtype: str, ticks: Sequence[tuple[float, str]], bottom: float
) -> list[Markup]:
    """A panel's heading, grid lines and tick labels."""
    grid = rules(((x, _TOP - 6), (x, bottom + 2)) for x, _ in ticks)
    labels = [label(x, bottom + 15, text) for x, text in ticks]
    return [label(left, 12, dtype, "head", "start"), grid, *labels]


def _row_labels(lines: Sequence[Line]) -> Markup:
    return Markup("").join(
        label(_LEFT - 10, _TOP + row * _ROW + 12, shown, "name", "end", title)
        for row, entry in enumerate(lines)
        for shown in [_short(entry.label)]
        for title in [entry.label if shown != entry.label else ""]
    )


def _short(name: str, longest: int = 24) -> str:
    """A name that fits beside a figure, cut in the middle: names of a family end differently."""
    if len(name) <= longest:
        return name
    end = (longest - 1) // 2
    return f"{name[: longest - 1 - end]}…{name[-end:]}"


def in_numbers(errors: Errors | None) -> str:
    """``1.7 ulp, 0.31; 2/36 outside``: the largest error, its share of the bound, and what is no
    error of a right answer."""
    if not errors:
        return ""
    said = [f"{number(errors.ulp)} ulp, {number(errors.ratio)}"] if errors.count else []
    return "; ".join(said + [f"{errors.left_out} outside"] * bool(errors.left_out))
