"""How an implementation fared from run to run: its score and coverage, and its largest errors.

Runs stand at even distances, oldest first.  A line joins runs of one profile: profiles ask
different numbers of cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from conformance.report.charts import Point, Scale, dots, figure, label, line, rules
from conformance.report.history import Standing
from conformance.report.text import counted, listed, number

FIRST = 6
"""Runs in a table before the rest is folded."""

Value = Callable[[Standing], float | None]

_WIDTH, _LEFT, _ROOM = 350, 44, 136
"""Pixels of a panel: of its plot, left of it for its ticks, and right of it for its names."""
_TOP, _BOTTOM = 22.0, 118.0
_SPARK = (132.0, 30.0)
_WORDS = 13.0
"""Pixels between the names of two lines."""


@dataclass(frozen=True)
class Curve:
    """One quantity over the runs."""

    name: str
    css: str
    value: Value
    words: Callable[[float], str]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _error(of: str) -> Value:
    def value(standing: Standing) -> float | None:
        worst = standing.worst(of)
        return worst.ratio if worst else None

    return value


def _percent(value: float) -> str:
    return f"{int(100 * value + 1e-9)} %"  # rounded down, as everywhere


SHARES = (
    Curve("score", "score", lambda s: _share(s.score.passed, s.score.judged), _percent),
    Curve("coverage", "coverage", lambda s: _share(s.score.judged, s.score.applicable), _percent),
)
ERRORS = (
    Curve("loss", "loss", _error("loss"), number),
    Curve("gradient", "gradient", _error("gradient"), number),
)
_SHARE_TICKS = ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %"))
_ERROR_TICKS = ((0.001, "≤ .001"), (0.01, "0.01"), (0.1, "0.1"), (1.0, "1"))


def by_device(found: Sequence[Standing]) -> list[tuple[str, list[Standing]]]:
    """The standings of an implementation on each device, the oldest first."""
    devices: dict[str, list[Standing]] = {}
    for standing in reversed(found):
        devices.setdefault(standing.device, []).append(standing)
    return list(devices.items())


def chart(found: Sequence[Standing], name: str) -> Markup:
    """Two panels: score and coverage, the largest errors as a share of their bound."""
    panels = [_panel(found, SHARES, _SHARE_TICKS, _LEFT, log=False)]
    width = _LEFT + _WIDTH + _ROOM
    title = f"{name} in {counted(len(found), 'run')}: {_said(found, SHARES)}"
    if measured(found):
        panels.append(_panel(found, ERRORS, _ERROR_TICKS, width + _LEFT, log=True))
        title += f"; largest errors as a share of the bound: {_said(found, ERRORS)}"
        width *= 2
    return figure(width, _BOTTOM + 20, panels, f"{title}. The table below has all numbers.")


def spark(found: Sequence[Standing], curves: Sequence[Curve]) -> Markup:
    """A small picture of the same, without axes."""
    log = curves is ERRORS
    width, height = _SPARK
    y = Scale(0.001, 1, height - 4, 4, log=True) if log else Scale(0, 1, height - 4, 4)
    x = _places(len(found), 5, width - 5)
    parts = [rules([((0, y(1)), (width, y(1)))], "limit" if log else "grid")]
    for curve in curves:
        parts += [_line(points, css) for css, points in _points(found, curve, x, y)]
        newest = curve.value(found[-1])
        parts += [dots([(x[-1], y(newest))], f"{curve.css} dot")] if newest is not None else []
    return figure(width, height, parts, _said(found, curves) or "no errors were recorded")


def measured(found: Sequence[Standing]) -> bool:
    """Whether some run recorded errors."""
    return any(curve.value(standing) is not None for curve in ERRORS for standing in found)


def _panel(
    found: Sequence[Standing],
    curves: Sequence[Curve],
    ticks: Sequence[tuple[float, str]],
    left: float,
    *,
    log: bool,
) -> Markup:
    right = left + _WIDTH
    x = _places(len(found), left + 8, right - 8)
    y = Scale(ticks[0][0], ticks[-1][0], _BOTTOM, _TOP, log=log)
    parts = [rules(((left, y(tick)), (right, y(tick))) for tick, _ in ticks)]
    parts += [label(left - 6, y(tick) + 4, text, anchor="end") for tick, text in ticks]
    if log:
        parts.append(rules([((left, y(1)), (right, y(1)))], "limit"))
    parts += _versions(found, x)
    parts += _dates(found, x)
    for curve in curves:
        for css, points in _points(found, curve, x, y):
            parts += [_line(points, css), dots(points, f"{css} dot")]
    parts += _names(found[-1], curves, y, right + 8)
    return Markup("").join(parts)


def _places(count: int, left: float, right: float) -> list[float]:
    """Even places; the middle for one alone."""
    if count == 1:
        return [(left + right) / 2]
    return [left + (right - left) * i / (count - 1) for i in range(count)]


def _line(points: Sequence[Point], css: str) -> Markup:
    return line(points, f"{css} curve") if len(points) > 1 else Markup("")


def _points(
    found: Sequence[Standing], curve: Curve, x: Sequence[float], y: Scale
) -> Iterator[tuple[str, list[Point]]]:
    """The points of each profile, with their style: fainter for others than the newest run's."""
    newest = found[-1].run["profile"]
    for profile in dict.fromkeys(standing.run["profile"] for standing in found):
        points = [
            (at, y(value))
            for at, standing in zip(x, found, strict=True)
            if standing.run["profile"] == profile and (value := curve.value(standing)) is not None
        ]
        if points:
            yield curve.css + (" other" if profile != newest else ""), points


def _versions(found: Sequence[Standing], x: Sequence[float]) -> Iterator[Markup]:
    """A rule where a version begins, and its name where there is room for it."""
    free = 0.0
    for version, places in groupby(range(len(found)), key=lambda i: found[i].version):
        first = next(places)
        if first:
            between = (x[first - 1] + x[first]) / 2
            yield rules([((between, _TOP - 6), (between, _BOTTOM))], "turn")
        name = version if len(version) <= 18 else version[:17] + "…"
        start, width = x[first] - 8, 6.6 * len(name)
        if name and start >= free and start + width <= x[-1] + _ROOM:
            yield label(start, _TOP - 10, name, anchor="start")
            free = start + width + 8


def _dates(found: Sequence[Standing], x: Sequence[float]) -> Iterator[Markup]:
    """The days of the first run and the last, and of those between for which there is room."""
    last, half = len(found) - 1, 33.0  # half a day's name: the first and the last stand inside
    free, end = x[0] + 3 * half, x[last] - 3 * half
    for i, standing in enumerate(found):
        if i in (0, last):
            anchor = "middle" if last == 0 else "start" if i == 0 else "end"
        elif free <= x[i] <= end:
            anchor, free = "middle", x[i] + 2 * half + 8
        else:
            continue
        yield label(x[i], _BOTTOM + 15, standing.run["started"][:10], anchor=anchor)


def _names(newest: Standing, curves: Sequence[Curve], y: Scale, left: float) -> Iterator[Markup]:
    """What each line is, and where it ends; moved apart where they end together."""
    ends = [(curve, value) for curve in curves if (value := curve.value(newest)) is not None]
    ends.sort(key=lambda end: y(end[1]))
    places = [y(value) + 4 for _, value in ends]
    if len(places) == 2 and places[1] - places[0] < _WORDS:
        middle = min(max(sum(places) / 2, _TOP + _WORDS), _BOTTOM - _WORDS / 2)
        places = [middle - _WORDS / 2, middle + _WORDS / 2]
    for (curve, value), at in zip(ends, places, strict=True):
        yield label(left, at, f"{curve.name} {curve.words(value)}", f"said {curve.css}", "start")


def _said(found: Sequence[Standing], curves: Sequence[Curve]) -> str:
    """``score 52 % to 97 %, now 97 %`` for each line."""
    said = []
    for curve in curves:
        values = [value for standing in found if (value := curve.value(standing)) is not None]
        if values:
            low, high, now = (curve.words(v) for v in (min(values), max(values), values[-1]))
            between = f"{low} to {high}, now {now}" if low != high else now
            said.append(f"{curve.name} {between}")
    return listed(said)


def since(found: Sequence[Standing]) -> str:
    """What became of the score since the run before of the same profile: in points of 100."""
    newest = found[-1]
    before = [s for s in found[:-1] if s.run["profile"] == newest.run["profile"]]
    then = SHARES[0].value(before[-1]) if before else None
    now = SHARES[0].value(newest)
    if then is None or now is None:
        return ""
    points = 100 * (now - then)
    return f"{'+' if points > 0 else '−'}{number(abs(points))}" if points else "the same"
