"""The marks of the matrix: few bytes each, as there are thousands; a glyph, a colour, and words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup, escape

from conformance.report.run import Cell, Column, Run
from conformance.report.site import Place
from conformance.report.status import WORST_FIRST, Status
from conformance.report.text import clip, listed, visible


def square(run: Run, here: Place, column: Column, slug: str) -> Markup:
    """A property of an implementation: a mark a dtype, as one link to all that is known of it.

    One mark for all dtypes where it is the same.  What was not asked leads nowhere: its page has
    the reason.  Where nothing but passes are, the script of the page makes the link: they are most.
    """
    cells = [run.cell(column, slug, dtype) for dtype in run.dtypes]
    if not any(cells):
        return Markup("")
    statuses = {cell.status if cell else None for cell in cells}
    shown = marks(cells[:1]) if len(statuses) == 1 else _neighbours(cells)
    words = escape(visible(in_words(cells)))
    address = here.group(column, slug)
    asked = {status.name for status in statuses if status and status.asked}
    if not asked or (asked == {"pass"} and "~" not in address):
        return Markup('<b role=img aria-label="{}">{}</b>').format(words, shown)
    return Markup('<a href="{}" aria-label="{}">{}</a>').format(address, words, shown)


def marks(cells: Sequence[Cell | None]) -> Markup:
    """A glyph for each cell; nothing where a dtype was not asked at all."""
    return Markup("").join(
        Markup("<i class={}>{}</i>").format(cell.status.name, cell.status.glyph)
        if cell
        else Markup("<i class=none></i>")
        for cell in cells
    )


def _neighbours(cells: Sequence[Cell | None]) -> Markup:
    """The same marks, neighbours that are alike in one: the script of the page takes them apart."""
    runs = [(status, [*run]) for status, run in groupby(c.status if c else None for c in cells)]
    return Markup("").join(
        Markup("<i class={}>{}</i>").format(status.name, status.glyph * len(run))
        if status
        else Markup("<i></i>") * len(run)
        for status, run in runs
    )


def in_words(cells: Sequence[Cell | None]) -> str:
    """``known in float16, pass elsewhere``; a behaviour by its label."""
    groups: dict[tuple[Status, str], list[str]] = {}
    for cell in filter(None, cells):
        label = clip(str(cell.record["label"] or ""), 40) if cell.level == "behaviour" else ""
        groups.setdefault((cell.status, label), []).append(cell.dtype)
    said = {way: f"{way[0].name} ({way[1]})" if way[1] else way[0].name for way in groups}
    if len(groups) == 1:
        return next(iter(said.values()))
    most = max(groups, key=lambda way: len(groups[way]))
    ranked = sorted(groups, key=lambda way: (way == most, WORST_FIRST.index(way[0])))
    parts = [f"{said[way]} in {listed(groups[way])}" for way in ranked if way != most]
    return ", ".join([*parts, f"{said[most]} elsewhere"])
