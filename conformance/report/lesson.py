"""The lesson: softmax, log and NLL, a worked example, and where the steps leave the fused loss."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from conformance.cases import worked_example as suite
from conformance.report.charts import Scale, dots, figure, label, line, rule, x_axis, y_axis
from conformance.report.run import Cell, Column, Run
from conformance.report.text import number
from conformance.report.witness import steps
from conformance.spec.formats import FORMATS, FloatFormat

KINDS = 4
"""Kinds of line that the style sheet has for steps that end differently."""

VISIBLE = 0.01
"""The chain has left when its loss is off by more than this share of a loss of at least 1."""


@dataclass(frozen=True)
class Example:
    """The worked example: logits, probabilities, the loss of each row, and their mean."""

    logits: list[list[float]]
    probabilities: list[list[float]]
    target: list[int]
    losses: list[float]
    mean: float
    picture: Markup
    right: list[str]
    """Who gave this loss in every dtype that was judged."""
    wrong: list[Cell]


@dataclass(frozen=True)
class Way:
    """Implementations whose steps become infinite at the same measured losses: one kind of line."""

    names: tuple[str, ...]
    ends: dict[str, str]
    """The first measured loss at which they are infinite, by dtype."""


@dataclass(frozen=True)
class Departure:
    """How far an implementation's own loss goes, and its steps, in one dtype."""

    dtype: str
    name: str
    own_infinite: str
    off: str
    infinite: str


def worked_example(run: Run) -> Example:
    """The example's steps, by the definition, and who reproduced its loss in this run."""
    case = suite.worked_example("float64")
    found = list(steps(case.logits, case.target))
    losses = [loss for _, _, loss in found]
    cells = [c for c in run.cells if c.slug == "worked-example" and c.status.judged]
    wrong = [cell for cell in cells if cell.status.name != "pass"]
    failing = {cell.column for cell in wrong}
    return Example(
        logits=case.logits.tolist(),
        probabilities=[p for p, _, _ in found],
        target=case.target.tolist(),
        losses=losses,
        mean=sum(losses) / len(losses),
        picture=_minus_log([(p, loss) for _, p, loss in found]),
        right=list(dict.fromkeys(c.column.label for c in cells if c.column not in failing)),
        wrong=wrong,
    )


def _minus_log(rows: Sequence[tuple[float, float]]) -> Markup:
    """-log p over p, with the rows of the example on it."""
    width, height = 470, 250
    x, y = Scale(0, 1, 44, width - 14), Scale(0, 5, height - 40, 14)
    parts = [
        x_axis(x, y(0), [(i / 4, f"{i / 4:g}") for i in range(5)], y(5)),
        y_axis(y, x(0), [(i, str(i)) for i in range(6)], x(1)),
        line([(x(p), y(-math.log(p))) for p in _geometric(math.exp(-5), 1, 80)], "chain curve"),
        dots(((x(p), y(loss)) for p, loss in rows), "dot fused"),
        label((x(0) + x(1)) / 2, height - 6, "p, the probability of the target class", "name"),
        label(x(0) + 8, y(5) + 10, "−log p, the loss", "name", "start"),
    ]
    # Rows with nearly the same p would hide each other's number: above and below in turn.
    by_p = sorted(enumerate(rows, 1), key=lambda item: item[1])
    for turn, (index, (p, loss)) in enumerate(by_p):
        dx, dy = ((4, -7), (-4, 16))[turn % 2]
        parts.append(label(x(p) + dx, y(loss) + dy, str(index), "name"))
    rows_said = "; ".join(
        f"row {i}: {p:.4f} gives {loss:.4f}" for i, (p, loss) in enumerate(rows, 1)
    )
    title = f"The curve minus log p falls from infinity at p = 0 to 0 at p = 1. {rows_said}."
    return figure(width, height, parts, title)


def curve_panels(run: Run, ways: Sequence[Way]) -> list[tuple[str, Markup]]:
    """A panel a dtype: the absolute error of both ways over the exact loss.

    Drawn are the implementations that offer both: a loss of their own, and its steps.
    """
    kinds = {name: kind for kind, way in enumerate(ways) for name in way.names}
    panels, labels = [], _labels(run)
    for dtype in run.dtypes:
        curves = [
            (_points(c), kinds.get(_whose(c, labels), 0)) for c in run.curves if c["dtype"] == dtype
        ]
        both = [(points, kind) for points, kind in curves if any(p[2] >= 0 for p in points)]
        if any(exact > 0 for points, _ in both for exact, _, _ in points) and dtype in FORMATS:
            panels.append((dtype, _panel(FORMATS[dtype], both)))
    return panels


def ways(run: Run) -> list[Way]:
    """How the steps end, and whose: those that end alike in every dtype together."""
    ends: dict[str, dict[str, str]] = {}
    labels = _labels(run)
    for curve in run.curves:
        steps = [(exact, chain) for exact, _, chain in _points(curve) if chain >= 0]
        if steps:
            end = _first(exact for exact, error in steps if math.isinf(error))
            ends.setdefault(_whose(curve, labels), {})[str(curve["dtype"])] = end
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, found in ends.items():
        alike.setdefault(tuple(found.items()), []).append(name)
    return [Way(tuple(names), dict(found)) for found, names in alike.items()]


def _labels(run: Run) -> dict[tuple[str, str], str]:
    return {(column.name, column.device): column.label for column in run.columns}


def _whose(curve: Mapping[str, Any], labels: Mapping[tuple[str, str], str]) -> str:
    """The label of its column; its name where there is no cell of it, and so no column."""
    name: str = curve["implementation"]
    return labels.get((name, curve["device"]), name)


def own_panels(run: Run, column: Column) -> list[tuple[str, Markup]]:
    """The panels of one implementation: its own loss, and its steps where it offers them."""
    return [
        (dtype, _panel(FORMATS[dtype], [(_points(curve), 0)]))
        for dtype in run.dtypes
        for curve in run.curves
        if dtype in FORMATS
        and (curve["implementation"], curve["device"], curve["dtype"])
        == (column.name, column.device, dtype)
    ]


def limits(fmt: FloatFormat) -> tuple[float, float]:
    """The losses beyond which p_y is subnormal, and beyond which it rounds to 0."""
    # Half the smallest subnormal is a tie, and ties round to even: to 0.
    return -math.log(fmt.smallest_normal), -(math.log(fmt.smallest_subnormal) - math.log(2))


def _error(got: float | str | None, exact: float) -> float:
    """|got - exact|; infinite for NaN, and -1 where there was no answer."""
    if got is None:
        return -1.0
    error = abs(float(got) - exact)
    return math.inf if math.isnan(error) else error


def _points(curve: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """(exact loss, error of the fused loss, error of the chain), by the exact loss."""
    found = []
    for point in curve["points"]:
        exact = float(point["exact"])
        if math.isfinite(exact):
            found.append((exact, _error(point["fused"], exact), _error(point["chain"], exact)))
    return sorted(found)


def _panel(
    fmt: FloatFormat, curves: Sequence[tuple[list[tuple[float, float, float]], int]]
) -> Markup:
    """Curves over the exact loss, each with the kind of line that its steps are drawn in.

    What the lines mean, the page says beside them: a label among them would lie on one.
    """
    width, height = 520, 250
    top = max(exact for curve, _ in curves for exact, _, _ in curve)
    x = Scale(0, top, 52, width - 50)
    y = Scale(10.0 ** _floor(fmt), 10, height - 42, 40, log=True)
    infinite = 24.0
    underflow, zero = limits(fmt)
    powers = range(_floor(fmt), 2, 4 if fmt.name == "float64" else 2)
    parts = [
        x_axis(x, y.start, [(t, f"{t:g}") for t in _ticks(top)], y.end),
        y_axis(y, x(0), [(10.0**k, _power(k, powers[0])) for k in powers], x(top)),
        rule(x(0), infinite, x(top), infinite),
        label(x(0) - 6, infinite + 4, "∞", anchor="end"),
    ]
    for place, text, anchor in ((underflow, "p subnormal", "end"), (zero, "p = 0", "start")):
        if place < top:
            parts.append(rule(x(place), y.start, x(place), infinite - 6, "limit"))
            nudge = -4 if anchor == "end" else 4
            parts.append(label(x(place) + nudge, 13, f"{text} {place:.1f}", "name", anchor))
    chained = any(chain >= 0 for curve, _ in curves for _, _, chain in curve)
    for css, which in (("chain", 2), ("fused", 1)):  # the fused loss is drawn over the chain
        for curve, kind in curves:
            shown = [p for p in curve if p[which] >= 0]
            places = [(x(p[0]), infinite if math.isinf(p[which]) else y(p[which])) for p in shown]
            parts.append(line(places, f"{css} curve way{kind % KINDS if which == 2 else ''}"))
    parts.append(label((x(0) + x(top)) / 2, height - 8, "exact loss", "name"))
    title = (
        f"{fmt.name}: absolute error of the fused loss over the exact loss, up to {number(top)}."
    )
    if chained:
        title += f" Softmax, log, NLL leaves it beyond {underflow:.1f}."
    return figure(width, height, parts, title)


def departures(run: Run) -> list[Departure]:
    """The first losses at which each recorded curve is visibly off, or infinite."""
    found = []
    for curve in run.curves:
        points = [point for point in _points(curve) if point[0] >= 1]
        own = [(exact, error) for exact, error, _ in points if error >= 0]
        steps = [(exact, error) for exact, _, error in points if error >= 0]
        found.append(
            Departure(
                curve["dtype"],
                curve["implementation"],
                _first(exact for exact, error in own if math.isinf(error)),
                _first(exact for exact, error in steps if error > VISIBLE * exact) if steps else "",
                _first(exact for exact, error in steps if math.isinf(error)) if steps else "",
            )
        )
    return found


def _first(losses: Iterable[float]) -> str:
    first = next(iter(losses), None)
    return "never" if first is None else f"{first:.1f}"


def _floor(fmt: FloatFormat) -> int:
    """The exponent of ten at the bottom of a panel: a tenth of the unit roundoff, made even."""
    exponent = math.floor(math.log10(fmt.unit_roundoff)) - 1
    return exponent - exponent % 2


def _power(exponent: int, lowest: int) -> str:
    """A tick of the error axis; errors below its end, and none at all, are drawn at the end."""
    text = number(10.0**exponent) if exponent in (0, 1) else f"1e{exponent}"
    return f"≤ {text}" if exponent == lowest else text


def _ticks(top: float) -> list[float]:
    """Four to eight round numbers from 0 to ``top``."""
    for step in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0):
        if top / step <= 8:
            return [step * i for i in range(int(top / step) + 1)]
    return [0.0, top]


def _geometric(low: float, high: float, count: int) -> list[float]:
    return [low * (high / low) ** (i / (count - 1)) for i in range(count)]
