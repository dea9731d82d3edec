"""Drawing by hand: scales, axes and lines as SVG.  Colours and type come from the style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from conformance.report.text import visible

Point = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels; ``log`` by their logarithm.  Values outside go to the ends."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, x = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, x = math.log(low), math.log(high), math.log(x)
        return self.start + (x - low) / (high - low) * (self.end - self.start)


def line(points: Sequence[Point], css: str) -> Markup:
    """A polyline through pixel positions; of a level stretch only the ends are written."""
    levels = [_px(y) for _, y in points]
    inner = [a == b == c for a, b, c in zip(levels, levels[1:], levels[2:], strict=False)]
    skipped = [False, *inner, False]
    path = " ".join(
        f"{_px(x)},{_px(y)}" for (x, y), skip in zip(points, skipped, strict=False) if not skip
    )
    return Markup('<polyline class="{}" points="{}"/>').format(css, path)


def dots(points: Iterable[Point], css: str) -> Markup:
    """Round dots as one path: zero-length strokes with round ends."""
    path = "".join(f"M{_px(x)} {_px(y)}h0" for x, y in points)
    return Markup('<path class="{}" d="{}"/>').format(css, path)


def bars(segments: Iterable[tuple[float, float, float]], css: str) -> Markup:
    """Horizontal strokes (x, y, width) as one path; thickness and gaps are the style's."""
    path = "".join(f"M{_px(x)} {_px(y)}h{_px(width)}" for x, y, width in segments)
    return Markup('<path class="{}" d="{}"/>').format(css, path) if path else Markup("")


def rules(ends: Iterable[tuple[Point, Point]], css: str = "grid") -> Markup:
    """Straight lines as one path."""
    path = "".join(f"M{_px(a)} {_px(b)}L{_px(c)} {_px(d)}" for (a, b), (c, d) in ends)
    return Markup('<path class="{}" d="{}"/>').format(css, path)


def rule(x1: float, y1: float, x2: float, y2: float, css: str = "grid") -> Markup:
    return Markup('<path class="{}" d="M{} {}L{} {}"/>').format(
        css, _px(x1), _px(y1), _px(x2), _px(y2)
    )


def label(
    x: float, y: float, text: str, css: str = "", anchor: str = "middle", title: str = ""
) -> Markup:
    """Text that starts at, ends at, or is centred on (x, y), its baseline; ``title`` where one
    points at it."""
    classes = " ".join(filter(None, (css, {"middle": "mid", "end": "end", "start": ""}[anchor])))
    more = Markup("<title>{}</title>").format(visible(title)) if title else ""
    return Markup('<text class="{}" x="{}" y="{}">{}{}</text>').format(
        classes, _px(x), _px(y), more, visible(text)
    )


def x_axis(scale: Scale, y: float, ticks: Sequence[tuple[float, str]], top: float) -> Markup:
    """Tick labels below ``y``, and grid lines up to ``top``."""
    parts = [rule(scale.start, y, scale.end, y, "axis")]
    for value, text in ticks:
        x = scale(value)
        parts += [rule(x, y, x, top), label(x, y + 14, text)]
    return Markup("").join(parts)


def y_axis(scale: Scale, x: float, ticks: Sequence[tuple[float, str]], right: float) -> Markup:
    """Tick labels left of ``x``, and grid lines to ``right``."""
    parts = [rule(x, scale.start, x, scale.end, "axis")]
    for value, text in ticks:
        y = scale(value)
        parts += [rule(x, y, right, y), label(x - 6, y + 4, text, anchor="end")]
    return Markup("").join(parts)


def figure(width: float, height: float, parts: Iterable[Markup], title: str) -> Markup:
    """An SVG whose text alternative is ``title``."""
    return Markup(
        '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>'
    ).format(_px(width), _px(height), escape(visible(title)), Markup("").join(parts))


def _px(value: float) -> str:
    """A pixel position to a tenth, without trailing zeros."""
    return f"{value:.1f}".removesuffix(".0")
