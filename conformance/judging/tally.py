"""Counting what a cell executed, how close it came to its bounds, and what was rejected."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.properties.property import Property
from conformance.properties.trial import Measure
from conformance.records.witness import encode_case

MEASURED = ("accurate", "loss-formula", "gradient-formula")
"""The properties whose errors are kept element by element, for the report's accuracy pictures."""

KEPT = 512
"""The most logits of a case that the records keep as the one with the largest error."""

EDGES = np.array([0.0, *(2.0**k for k in range(-1, 11))])
"""Errors in ulp are counted as 0, (0, .5], (.5, 1], (1, 2], .. (512, 1024], more."""


@dataclass
class _Errors:
    count: int = 0
    max_ulp: float = 0.0
    max_ratio: float = 0.0
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EDGES) + 1, int))


@dataclass(frozen=True)
class _Answer:
    """How far off an answer was, and to what."""

    ratio: float
    ulp: float | None
    regime: str
    case: Case | None
    """Only where errors are kept, and it is small."""

    @classmethod
    def to(cls, case: Case, measure: Measure) -> _Answer:
        kept = measure.errors is not None
        small = kept and case.logits.size <= KEPT
        ulp = measure.ulp if kept else None
        return cls(measure.ratio, ulp, case.regime, case if small else None)

    def to_record(self) -> dict[str, Any]:
        found = {"ratio": self.ratio, "ulp": self.ulp, "regime": self.regime}
        return found | {"case": encode_case(self.case)} if self.case else found


@dataclass
class Tally:
    """The numbers of one cell."""

    corpus: str = ""
    """A letter for each corpus case: p passed, f failed, - not asked in this form."""
    executed: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)
    layouts: Counter[str] = field(default_factory=Counter)
    worst: _Answer | None = None
    """The answer that came closest to its bound."""
    most_ulp: _Answer | None = None
    """The one with the largest error in ulp; only where errors are kept."""
    _most: float = -1.0
    errors: dict[str, _Errors] = field(default_factory=dict)
    failed: int = 0
    """Cases that were answered wrongly, as expected or not."""
    spoiled: int = 0
    rejected: int = 0

    def measure(self, prop: Property) -> Measure:
        """A fresh measure for one case."""
        return Measure(errors=[] if prop.slug in MEASURED else None)

    def count(self, case: Case, searched: bool) -> None:
        """One case was executed."""
        self.executed["searched" if searched else "corpus"] += 1
        self.regimes[case.regime] += 1
        self.layouts[case.layout] += 1

    def keep(self, case: Case, measure: Measure) -> None:
        """Remember how close a case that passed came to its bounds."""
        answer = _Answer.to(case, measure)
        if self.worst is None or answer.ratio > self.worst.ratio:
            self.worst = answer
        if measure.errors is not None and measure.ulp > self._most:
            self.most_ulp, self._most = answer, measure.ulp
        for ulps, ratios in measure.errors or ():
            kept = self.errors.setdefault(case.regime, _Errors())
            kept.count += ulps.size
            kept.max_ulp = max(kept.max_ulp, float(ulps.max(initial=0.0)))
            kept.max_ratio = max(kept.max_ratio, float(ratios.max(initial=0.0)))
            places = np.searchsorted(EDGES, ulps, side="left")
            kept.histogram += np.bincount(places, minlength=len(EDGES) + 1)

    def power(self, spoiled: int, rejected: int) -> None:
        self.spoiled += spoiled
        self.rejected += rejected

    def _other_layouts(self) -> dict[str, int]:
        """Memory layouts count as regimes where they are more than the plain one."""
        return {f"layout {name}": n for name, n in self.layouts.items() if name != "contiguous"}

    def fields(self) -> dict[str, Any]:
        """The counts as fields of a cell's record."""
        return {
            "corpus": self.corpus,
            "failed": self.failed,
            "examples": {
                "corpus": self.executed["corpus"],
                "searched": self.executed["searched"],
                "floor": 0,
            },
            "regimes": dict(self.regimes) | self._other_layouts(),
            "worst": self.worst.to_record() if self.worst else None,
            "most_ulp": self.most_ulp.to_record() if self.most_ulp else None,
            "power": {"spoiled": self.spoiled, "rejected": self.rejected},
            "accuracy": {
                regime: {
                    "count": kept.count,
                    "max_ulp": kept.max_ulp,
                    "max_ratio": kept.max_ratio,
                    "histogram": kept.histogram.tolist(),
                }
                for regime, kept in self.errors.items()
            }
            or None,
        }
