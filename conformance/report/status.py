"""How a cell ended, as a reader sees it: a glyph, a word, a colour, and a line that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.records.results import UNOFFERED, VERDICT_LEVELS

QUIET = ("pass", "recorded", "unsupported", "inapplicable", "not-run")
"""Statuses that need no opening: nothing went wrong, or nothing was asked."""


@dataclass(frozen=True)
class Status:
    """One way in which a cell can end.  Its colour is the CSS class of the same name."""

    name: str
    glyph: str
    meaning: str

    @property
    def detailed(self) -> bool:
        """Whether the report opens it: something went wrong, there may be a counterexample."""
        return self.name not in QUIET

    @property
    def asked(self) -> bool:
        """Whether there was anything to ask."""
        return self.name not in UNOFFERED

    @property
    def judged(self) -> bool:
        """Whether it counts in the denominator of a score."""
        return self.detailed or self.name == "pass"


_ALL = (
    Status("pass", "✓", "Every answer was right, over enough cases in every regime."),
    Status("known", "◆", "Fails as recorded beforehand, with a reason. Judged, and not passed."),
    Status("fail", "✕", "An answer is wrong, and nobody had recorded it."),
    Status("stale", "↻", "Recorded as a failure, yet it passes: the record has to go."),
    Status("error", "!", "It raised where an answer was due, or answered with no array."),
    Status("timeout", "…", "No answer within the time allowed."),
    Status("crash", "✸", "The process died: a signal, an abort, no memory left."),
    Status("flaky", "≈", "The same case was judged differently when it was asked again."),
    Status("vacuous", "∅", "Spoiled answers would have passed here: a fault of the suite."),
    Status("recorded", "•", "A choice point: the behaviour is noted, and no answer is wrong."),
    Status("unsupported", "–", "The implementation does not offer what the property needs."),
    Status("inapplicable", "/", "Not a question in this dtype or on this device, to anybody."),
    Status("not-run", "○", "It applies, but too few of its cases were asked to say anything."),
)

STATUSES = {status.name: status for status in _ALL}

WORST_FIRST = tuple(
    STATUSES[name]
    for name in (
        "crash", "timeout", "fail", "error", "flaky", "stale", "vacuous",
        "known", "not-run", "pass", "recorded", "unsupported", "inapplicable",
    )
)  # fmt: skip


_INAPPLICABLE = ("not a question in ", "a question to accelerators alone", "a question to the CPU")
"""How older records, which have no word for it, begin to say that nobody was to be asked."""


def status_of(cell: Mapping[str, Any]) -> Status:
    """The status of a cell record: its outcome, seen through its expectation.

    No answer is wrong at a choice point, known or not: then nothing but the answer is noted.
    """
    if cell["level"] not in VERDICT_LEVELS and cell["outcome"] in ("pass", "fail"):
        return STATUSES["stale" if cell["expectation"] == "stale" else "recorded"]
    if cell["expectation"] in ("known", "stale"):
        return STATUSES[cell["expectation"]]
    if cell["outcome"] == "unsupported" and str(cell["reason"]).startswith(_INAPPLICABLE):
        return STATUSES["inapplicable"]
    return STATUSES[cell["outcome"]]
