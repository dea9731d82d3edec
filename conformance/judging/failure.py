"""A failure: the case, how it fails, and the witness that records it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.cases.case import Case
from conformance.contract.session import Session
from conformance.errors import ConformanceError
from conformance.properties.asking import Answer, Array, Recorder
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
    answers: Sequence[Answer] = ()
    got: str = ""
    """The first answer, where another one followed; else what the violation has."""
    again: str | None = None
    """That other answer: the implementation is flaky."""

    @classmethod
    def of(cls, case: Case, violation: Violation, asker: Recorder) -> Failure:
        """What an asker heard when a case was found to fail."""
        return cls(case, violation, asker.asked, asker.answers)

    @property
    def outcome(self) -> str:
        if self.again is not None:
            return "flaky"
        return "crash" if self.violation.kind == "crash" else "fail"

    @property
    def message(self) -> str:
        if self.again is None:
            return self.violation.message
        return (
            f"the same question, asked again, got another answer: first {self.got}, then "
            f"{self.again}; first: {self.violation.message}"
        )

    def but_then(self, other: Failure | None, asker: Recorder) -> Failure:
        """The failure of a question that got another answer when it was asked again: ``other``, or
        one that is right."""
        got, again = _differing(self.answers, asker.answers) or (
            _said(self.violation),
            _said(other.violation) if other else "it holds",
        )
        return replace(self, got=got, again=again)

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
            "message": self.message,
            "expected": self.violation.expected or None,
            "got": self.got or self.violation.got or None,
            "again": self.again,
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
        return violation.kind, violation.got.partition(": ")[0]
    return violation.kind, None


def _said(violation: Violation) -> str:
    return violation.got or violation.message


def _differing(first: Sequence[Answer], second: Sequence[Answer]) -> tuple[str, str] | None:
    """What two rounds of answers have where they differ first; None where that cannot be told."""
    for one, other in zip(first, second, strict=False):
        a, b = one.value, other.value
        if _is_no_number(a) or _is_no_number(b):
            continue
        if a is None or b is None or (a.shape, a.dtype) != (b.shape, b.dtype):
            told = _told(one), _told(other)
        else:
            told = _elements(a, b)
        if told[0] != told[1]:
            return told
    return None


def _is_no_number(value: Array | None) -> bool:
    """Whether an answer is made of bytes or of objects."""
    return value is not None and (value.dtype == np.uint8 or value.dtype.hasobject)


def _told(answer: Answer) -> str:
    if answer.value is None:
        return f"raised {answer.raised}"
    return f"an array {answer.value.shape} of {answer.value.dtype}"


def _elements(a: Array, b: Array) -> tuple[str, str]:
    """The first elements that differ, bit by bit."""
    bits = [np.frombuffer(x.tobytes(), f"V{x.itemsize}") for x in (a, b)]
    places = np.flatnonzero(bits[0] != bits[1])
    if not places.size:
        return "", ""
    where = np.unravel_index(places[0], a.shape)
    at = f" at [{', '.join(map(str, where))}]" if where else ""
    return f"{a[where]}{at}", f"{b[where]}{at}"
