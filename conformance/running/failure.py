"""A failure: the case, how it fails, and the witness that records it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases.case import Case
from conformance.contract.session import Session
from conformance.errors import ConformanceError
from conformance.properties.property import Property
from conformance.properties.trial import Violation
from conformance.records.witness import encode_case
from conformance.version import __version__

MOST_QUESTIONS = 8
"""Questions that a witness keeps of those that a property asked about one case."""


@dataclass
class Failure:
    """A case that fails, how, and what was asked to find out."""

    case: Case
    violation: Violation
    asked: Sequence[tuple[str, Case]] = ()
    flaky: bool = False

    def witness(self, session: Session, dtype: str, prop: Property) -> dict[str, Any] | None:
        """The failure as a bit-exact case, ready for a replay; None where it is too large to keep:
        then the message has to do."""
        try:
            case, asked = encode_case(self.case), self._asked()
        except ConformanceError:
            return None
        return {
            "schema": 1,
            "suite": __version__,
            "implementation": session.implementation.name,
            "device": session.device,
            "dtype": dtype,
            "property": prop.slug,
            "kind": self.violation.kind,
            "message": self.violation.message,
            "expected": self.violation.expected or None,
            "got": self.violation.got or None,
            "versions": versions_of(session),
            "case": case,
            "asked": asked,
        }

    def _asked(self) -> list[dict[str, Any]]:
        """The questions, each with the case it was asked of where that is not the one before."""
        asked, before = [], self.case.key
        for question, case in self.asked[:MOST_QUESTIONS]:
            same = before == case.key
            asked.append({"question": question, "case": None if same else encode_case(case)})
            before = case.key
        return asked


def versions_of(session: Session) -> dict[str, str]:
    """What is judged: the distribution of the implementation and its version."""
    f = session.implementation
    return {f.distribution: f.version} if f.distribution and f.version else {}


def way(violation: Violation) -> tuple[str, str | None]:
    """How it fails: the kind, and the exception's type where it raised."""
    if violation.kind == "raised":
        return violation.kind, violation.got.partition(":")[0]
    return violation.kind, None
