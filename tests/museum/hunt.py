"""Hunting faults: the questions of a quick run, asked of a whole museum.

A quick run asks every implementation the same questions about a property.  Here they are made once
and their exact answers remembered, so that a further implementation costs its own answers alone,
about a tenth of a judged cell.  It hears them until its first wrong answer; what a quick run does
beyond that, the power test and the minimiser, has no part in whether a fault dies.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from time import perf_counter

from faithful import Array, Faithful, adapter

from conformance.cases.case import OPTIONS, Case
from conformance.contract.session import Session, open_session
from conformance.errors import ConformanceError
from conformance.judging.cell import judge_cell
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.properties.asking import Live
from conformance.properties.property import Property
from conformance.properties.trial import Float64, Trial, Violation
from conformance.properties.truth import Truth
from conformance.records.results import Cell
from conformance.spec.double_double import Pair
from conformance.spec.oracle import Solution

ASKED = {prop.slug: prop for prop in PROPERTIES if prop.devices != "accelerators"}
"""The museum stands on a CPU."""

NAMES_IT = ("fail", "label")
"""How a fault must end by the property that names it."""

KILLS = ("fail", "flaky", "error", "label")
"""How an implementation dies; ``label`` is an answer at a choice point that the faithful one does
not give."""


ACCUSED = ("fail", "flaky", "error")
"""How whoever is right may not end.  Another label is another answer where the choice is free."""


def hung(steps: type[Faithful]) -> Session:
    """An implementation in its place, fresh: what it remembers begins here."""
    return open_session(adapter(steps(), "exhibit"))


def judged(session: Session, prop: Property, dtype: str, seed: int = 0) -> Cell:
    """The record of a cell, as the quick profile makes it."""
    quick = PROFILES["quick"]
    return judge_cell(
        session, prop, dtype, profile=quick, seed=seed, expectations=(), watch=lambda case: None
    )


@cache
def right_label(slug: str, dtype: str, seed: int) -> str | None:
    """What the faithful one answers at a choice point."""
    return judged(hung(Faithful), BY_SLUG[slug], dtype, seed)["label"]


def fate(steps: type[Faithful], slug: str, dtype: str, seed: int = 0) -> Cell:
    """The record of a fresh implementation; ``label`` where it answers a choice point otherwise."""
    cell = judged(hung(steps), BY_SLUG[slug], dtype, seed)
    choice = cell["level"] == "behaviour" and cell["outcome"] == "pass"
    if choice and cell["label"] != right_label(slug, dtype, seed):
        return {**cell, "outcome": "label"}  # type: ignore[typeddict-item]
    return cell


def questions(prop: Property, dtype: str, seed: int) -> tuple[Case, ...]:
    """The cases of corpus and search that a quick run has for whoever survives them."""
    cases: list[Case] = []

    def listens(case: Case, trial: Trial) -> None:
        cases.append(case)
        trial.outcome(case)

    # Without strong regimes nothing is asked for the power test.
    judged(hung(Faithful), replace(prop, body=listens, strong=()), dtype, seed)
    return tuple(cases)


def stream(cases: Iterable[Case]) -> str:
    """A hash of questions, arrays bit by bit."""
    digest = blake2b(digest_size=8)
    for case in cases:
        digest.update(repr(case.key).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Verdict:
    """How an implementation fared with a property."""

    outcome: str
    """pass | unsupported | broken, which is a fault of the suite, or one of ``KILLS``."""
    cases: int
    """How many it was asked."""
    seconds: float
    message: str = ""

    @property
    def killed(self) -> bool:
        return self.outcome in KILLS


class Hunt:
    """The questions about one property in one dtype, for any number of implementations."""

    def __init__(self, slug: str, dtype: str, seed: int = 0) -> None:
        self.prop = BY_SLUG[slug]
        self.cases = questions(self.prop, dtype, seed)
        self.truth = Truth(remembered=64 * len(self.cases))
        self.labels = self._right_labels()

    def _right_labels(self) -> set[str | None]:
        """What the faithful one answers: nothing, unless it is a choice point."""
        if self.prop.level != "behaviour":
            return {None}
        faithful = hung(Faithful)
        return {self.ask(faithful, self.prop, case) for case in self.cases}

    def of(self, steps: type[Faithful], *, without_formula: bool = False) -> Verdict:
        """Ask one implementation, to its first wrong answer."""
        if not self.cases:
            return Verdict("unsupported", 0, 0.0)
        started = perf_counter()
        outcome, asked, message = self._first_fault(
            hung(steps), unaided(self.prop) if without_formula else self.prop
        )
        return Verdict(outcome, asked, perf_counter() - started, message)

    def _first_fault(self, session: Session, prop: Property) -> tuple[str, int, str]:
        labels = set()
        for asked, case in enumerate(self.cases, 1):
            try:
                label = self.ask(session, prop, case)
            except Violation as violation:
                again = self._violation(session, prop, case)
                outcome = "fail" if again and again.kind == violation.kind else "flaky"
                return outcome, asked, violation.message
            except ConformanceError as error:
                return "error", asked, str(error)
            except Exception as error:  # whatever the implementation raised is a violation by now
                return "broken", asked, f"{self.prop.slug} itself raised {error!r}"
            labels.add(label)
            if label not in self.labels:
                return "label", asked, str(label)
        silent = self.labels - labels
        if silent:
            return "label", len(self.cases), f"never {', '.join(map(str, silent))}"
        return "pass", len(self.cases), ""

    def ask(self, session: Session, prop: Property, case: Case) -> str | None:
        live = Live(session, frozenset(OPTIONS), lambda case: None)
        return prop.body(case, Trial(live, self.truth))

    def _violation(self, session: Session, prop: Property, case: Case) -> Violation | None:
        try:
            self.ask(session, prop, case)
        except Violation as violation:
            return violation
        return None


def unaided(prop: Property) -> Property:
    """The property without the formula: any value is as good as the exact loss or gradient.

    A relation (rows sum to zero, a permutation changes nothing) often holds its values against the
    formula too, lest zeros pass.  What dies here dies by the relation itself.
    """

    if prop.about == "shape":
        return prop  # shapes are what it states

    def body(case: Case, trial: Trial) -> str | None:
        with suppress(_ByItsShape):
            return prop.body(case, _Unaided(trial))
        return None

    return replace(prop, body=body)


class _ByItsShape(Exception):
    """An answer has not the shape that is promised: the relation cannot be asked."""


class _Unaided(Trial):
    """A trial that compares nothing with the exact loss or gradient."""

    def __init__(self, trial: Trial) -> None:
        vars(self).update(vars(trial))
        self._exact: list[Pair | None] = []

    def exact(self, case: Case) -> Solution:
        solution = super().exact(case)
        self._exact += [solution.loss, solution.gradient]
        return solution

    def shaped(self, what: str, got: Array, shape: tuple[int, ...]) -> Array:
        if got.shape != shape:
            raise _ByItsShape
        return got

    def within(self, what: str, got: Array, exact: Pair, bound: Float64) -> None:
        if any(exact is formula for formula in self._exact):
            self.shaped(what, got, exact.hi.shape)
        else:
            super().within(what, got, exact, bound)
