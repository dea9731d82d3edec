"""Which finding is the worst: one order, for every page.

What nobody expected comes before what was recorded, and what is judged before choice points.  Then
by the harm to a user who is not told: a wrong number, or a NaN or an infinity where a finite answer
exists, at inputs of ordinary size, harms most; a process that dies at least says so; a refusal
costs a moment; an answer to a wrong question harms who asked it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.errors import RecordsError
from conformance.records.witness import decode_array
from conformance.report.run import Cell, Column, Run
from conformance.report.status import WORST_FIRST

ORDINARY = 4096
"""Logits of a question that anybody may ask."""

LEVELS = ("must", "should", "behaviour")

_SILENT = ("wrong", "not-finite")
_LOST = ("crash", "timeout", "flaky")
_SEEN = ("modified", "shape", "dtype")
_REFUSED = ("raised", "error")

Key = tuple[object, ...]


def severity(cell: Cell) -> Key:
    """A sort key, the worst first."""
    level = LEVELS.index(cell.level) if cell.level in LEVELS else len(LEVELS)
    harm, off = _harm(cell)
    return (not cell.unexpected, not cell.counts, harm, level, -off, WORST_FIRST.index(cell.status))


def worst_first(run: Run, column: Column) -> list[Cell]:
    """What did not pass in an implementation, the worst first: every page takes it from here."""
    properties = {slug: place for place, slug in enumerate(run.properties)}
    found = [cell for cell in run.of(column) if cell.status.detailed]
    return sorted(
        found,
        key=lambda c: (*severity(c), properties[c.slug], run.dtypes.index(c.dtype)),
    )


def worst_finding(run: Run, column: Column) -> Cell | None:
    """The finding of an implementation that matters most, if it has any."""
    return next(iter(worst_first(run, column)), None)


def _harm(cell: Cell) -> tuple[int, float]:
    """The kind of harm, 0 the worst, and how far off the answer is."""
    outcome, witness = cell.record["outcome"], cell.record["witness"] or {}
    way = outcome if outcome in _LOST else witness.get("kind", outcome)
    if way in _SILENT or (outcome == "fail" and not witness):
        return (0 if _ordinary(witness) else 2), _off(witness)
    for harm, ways in ((1, _LOST), (3, _SEEN), (4, _REFUSED), (5, ("accepted",))):
        if way in ways:
            return harm, 0.0
    return 6, 0.0  # stale, vacuous: nothing wrong was answered


def _ordinary(witness: Mapping[str, Any]) -> bool:
    """Whether every question was of ordinary size, with finite logits."""
    if not witness:
        return False
    asked = [entry["case"] for entry in witness.get("asked") or [] if entry["case"]]
    arrays = [case["logits"] for case in (witness["case"], *asked)]
    if any(math.prod(array["shape"]) > ORDINARY for array in arrays):
        return False
    try:
        return all(
            np.isfinite(decode_array(array, "logits").astype(np.float64)).all() for array in arrays
        )
    except RecordsError:
        return False


def _off(witness: Mapping[str, Any]) -> float:
    """How far an answer is from what is right, next to one and to what is right."""
    if witness.get("kind") == "not-finite":
        return math.inf
    try:
        got = float(str(witness.get("got")))
        right = float(str(witness.get("expected")).partition(" ± ")[0].removeprefix(">= "))
    except ValueError:
        return 0.0
    if not math.isfinite(right):
        return 0.0 if math.isfinite(got) else 1.0
    off = abs(got - right) / (1 + abs(right))
    return off if off == off else math.inf
