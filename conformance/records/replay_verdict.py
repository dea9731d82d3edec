"""When a replay script shows the fault again: an expression for it, from what the witness says.

A script has no property to ask.  It knows how the answers failed in the run, and looks whether they
still do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

LONGEST = 2000
"""Of what came back, so much is looked through for numbers."""

ROUNDS = 5
"""How often a script asks what got two answers."""

SLACK = 1.01
"""A bound is written with three digits."""


def shows_it(witness: Mapping[str, Any]) -> str:
    """The expression, of literals and of the names that a script defines."""
    kind, got = witness.get("kind"), str(witness.get("got") or "")
    if witness.get("again") is not None:
        return f"unlike({ROUNDS})"
    if kind == "raised":
        return f"any(s.startswith({'raised ' + got.partition(': ')[0]!r}) for s in sentences())"
    if kind == "accepted":  # the first question is the one that may be answered
        return "any(isinstance(a, np.ndarray) and np.isfinite(a).any() for a in answers[1:])"
    if kind == "modified":
        return '"modified" in answers'
    if kind == "shape":
        shape = re.search(r"\([\d, ]*\)", got or str(witness.get("message")))
        return f"any(str(a.shape) == {shape[0] if shape else ''!r} for a in arrays())"
    if kind == "dtype":
        return f"any(a.dtype.name in {got!r} for a in arrays())"
    return _wrong(witness, got)


def _wrong(witness: Mapping[str, Any], got: str) -> str:
    """A number that is none of those that are right."""
    value, limits = _number(got), _limits(str(witness.get("expected") or ""))
    if value is None or limits is None:  # all that is known is what came back
        found = re.findall(r"-?\b\d[\d.e+-]*|-?\binf\b|\bnan\b", got[:LONGEST])
        known = {_expression(number) for text in found if (number := _number(text)) is not None}
        of = ", of=sums" if " sums to " in str(witness.get("message")) else ""
        return f"among({', '.join(sorted(known))}{of})" if known else "False"
    place = re.search(r"\[([\d, ]{1,100})\] (?:is|differs)", str(witness.get("message")))
    numbers = [_expression(number) for number in (value, *limits)]
    if place and all(map(str.isdecimal, place[1].split(", "))):
        numbers.append(f"({', '.join(str(int(i)) for i in place[1].split(', '))},)")
    return f"wrong({', '.join(numbers)})"


def _limits(expected: str) -> tuple[float, float] | None:
    """From where to where an answer is right: ``1.5 ± 0.01``, ``>= 2.0``, or one number."""
    if expected.startswith(">= "):
        least = _number(expected[3:])
        return (least, math.inf) if least is not None and math.isfinite(least) else None
    middle, _, bound = expected.partition(" ± ")
    centre, radius = _number(middle), _number(bound or "0")
    if centre is None or radius is None:
        return None
    if not math.isfinite(centre) or not math.isfinite(radius):
        return centre, centre
    return centre - SLACK * radius, centre + SLACK * radius


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _expression(number: float) -> str:
    return repr(number) if math.isfinite(number) else f'float("{number}")'
