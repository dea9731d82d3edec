"""A cell: one property of one implementation, in one dtype on one device, judged.

First the witnesses of known failures are replayed, then the corpus is asked (the same cases for
every implementation), then Hypothesis searches.  What happened becomes one record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from platform import machine
from time import perf_counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import seed as use_seed

from conformance.cases.build import Draw, build
from conformance.cases.case import Case
from conformance.cases.corpus import corpus
from conformance.cases.minimise import minimise
from conformance.cases.space import Space
from conformance.cases.strategies import draws
from conformance.contract.session import Session
from conformance.errors import ConformanceError, Unsupported
from conformance.judging.device import lost
from conformance.judging.failure import Failure, versions_of, way
from conformance.judging.offered import Inapplicable, supported_space
from conformance.judging.profiles import Profile
from conformance.judging.tally import Tally
from conformance.properties.asking import Live, Recorder, Watch
from conformance.properties.features import features
from conformance.properties.power import REQUIRED, is_sharp, spoiled_and_rejected
from conformance.properties.property import Property
from conformance.properties.trial import Measure, Trial, Violation
from conformance.properties.truth import Truth
from conformance.records.known import Expectation
from conformance.records.results import Cell, blank_cell
from conformance.records.witness import decode_case
from conformance.spec.formats import FORMATS

AskerOf = Callable[[Watch], Recorder]

ENOUGH = 24
"""Spoiled answers that the power test wants to see, and the corpus cases of each strong regime that
it may take them from."""

READABLE = 64
"""Logits of a case that may stay as it is; a larger one is made smaller, where its failure was
expected, too."""


def judge_cell(
    session: Session,
    prop: Property,
    dtype: str,
    *,
    profile: Profile,
    seed: int,
    expectations: Sequence[Expectation],
    watch: Watch,
    asker: AskerOf | None = None,
) -> Cell:
    """Judge one property in one dtype; the record says what happened.

    Args:
        session: the implementation on its device.
        prop: what must hold.
        dtype: the dtype of the logits.
        profile: how hard to look.
        seed: decides corpus and search; the same seed asks the same questions.
        expectations: the known failures of this implementation.
        watch: called with each case before the implementation gets it, and with None afterwards.
        asker: makes somebody who asks the implementation elsewhere than in this process.
    """
    try:
        narrow = supported_space(prop, session, dtype)
    except Unsupported as reason:
        f = session.implementation
        cell = blank_cell(f.name, session.device, dtype, prop.slug, prop.level)
        outcome = "inapplicable" if isinstance(reason, Inapplicable) else "unsupported"
        return _with(cell, outcome=outcome, reason=str(reason))
    known = [e for e in expectations if e.concerns(prop.slug, session.device, dtype)]
    known.sort(key=lambda e: e.property != prop.slug)  # the reason of this very property first
    return Judge(session, prop, dtype, narrow, profile, seed, known, watch, asker).cell()


def _with(cell: Cell, **fields: Any) -> Cell:
    return {**cell, **fields}  # type: ignore[typeddict-item]


@dataclass
class Judge:
    """Puts the cases of one cell to the implementation and remembers what happened."""

    session: Session
    prop: Property
    dtype: str
    narrow: Space
    profile: Profile
    seed: int
    known: Sequence[Expectation]
    watch: Watch
    asker: AskerOf | None = None
    truth: Truth = field(default_factory=Truth)
    tally: Tally = field(default_factory=Tally)
    labels: Counter[str] = field(default_factory=Counter)
    failure: Failure | None = None
    """The first unexpected failure."""
    seen: dict[int, Failure] = field(default_factory=dict)
    """The first expected failure of each expectation, by its place in ``known``."""
    refused: str = ""
    """Why the adapter could not pass some case on, in its words."""
    still_fails: dict[int, bool] = field(default_factory=dict)
    """Whether the witness of each expectation fails."""

    def cell(self) -> Cell:
        """Judge, and record what happened."""
        started = perf_counter()
        f = self.session.implementation
        cell = blank_cell(f.name, self.session.device, self.dtype, self.prop.slug, self.prop.level)
        try:
            with suppress(_Found):
                self.replay_known()
                self.ask_corpus()
                if self.failure is None:
                    self.search()
        except ConformanceError as error:
            seconds = perf_counter() - started
            return _with(cell, outcome="error", message=str(error), seconds=seconds)
        return _with(cell, **self.conclusion(), seconds=perf_counter() - started)

    # -- the three stages ------------------------------------------------------------------------

    def replay_known(self) -> None:
        """Ask the witnesses of the expectations first: known failures do not depend on luck."""
        for place, expectation in enumerate(self.known):
            witness = expectation.witness_for(self.prop.slug, self.dtype)
            if witness is None:
                continue
            failure = self.examine(decode_case(witness["case"]))
            as_recorded = failure is not None and expects(expectation, failure.violation)
            self.still_fails[place] = failure is not None
            if as_recorded and failure is not None:
                self.seen[place] = failure
            elif failure is not None:
                self.fail(failure)  # it fails, but in another way

    def ask_corpus(self) -> None:
        """Ask every corpus case, whatever happens: the corpus is what implementations share."""
        for draw in self.corpus(self.profile.corpus_per_regime):
            case, projected = self.build(draw)
            live = self.live()
            letter, label = self.judge(case, live, self.tally.measure(self.prop))
            self.tally.corpus += "-" if projected else letter
            if letter == "p":
                self.spoil(case, live, label)
        self.reach_the_floor()
        if self.failure is None and not self.seen and not self.profile.frugal:
            self.spoil_more()

    def reach_the_floor(self) -> None:
        """Ask further cases of a regime where the property had nothing to ask of some, and of a
        memory layout that none of them had."""
        least = self.profile.corpus_per_regime
        for draw in self.corpus(4 * least)[len(self.tally.corpus) :]:
            unseen = set(self.narrow.layouts).difference(self.tally.layouts)
            if self.tally.regimes[draw.regime] >= least and not unseen:
                continue
            case, _ = self.build(draw)
            if self.tally.regimes[draw.regime] < least or case.layout in unseen:
                self.judge(case, self.live(), self.tally.measure(self.prop))

    def spoil(self, case: Case, live: Recorder, label: str | None) -> None:
        """The power test on one case that passed."""
        if live.answers and is_sharp(self.prop, case, self.truth):
            self.tally.power(*spoiled_and_rejected(self.prop, case, live, label, self.truth))

    def spoil_more(self) -> None:
        """Where the corpus alone leaves the power test in doubt, further cases decide."""
        more = self.corpus(ENOUGH)[len(self.tally.corpus) :]
        for draw in (d for d in more if d.regime in self.prop.strong):
            if (
                self.tally.spoiled >= ENOUGH
                and self.tally.rejected >= REQUIRED * self.tally.spoiled
            ):
                return
            case, _ = self.build(draw)
            live = self.live()
            try:
                label = self.prop.body(case, Trial(live, self.truth))
            except Violation as violation:
                if not refusal(live):
                    self.fail(Failure.of(case, violation, live))
                continue
            self.spoil(case, live, label)

    def corpus(self, per_regime: int) -> list[Draw]:
        return list(
            corpus(
                self.prop.space,
                slug=self.prop.slug,
                dtype=self.dtype,
                seed=self.seed,
                per_regime=per_regime,
            )
        )

    def search(self) -> None:
        """Let Hypothesis look further, until it finds an unexpected failure."""
        examples = round(self.profile.searched * self.prop.share)
        if not examples or self.profile.frugal:
            return

        @use_seed(_seed(self.seed, self.prop.slug, self.dtype))
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=False,
            phases=(Phase.generate, Phase.target) if self.profile.steer else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(draws(self.prop.space))
        def explore(draw: Draw) -> None:
            if self.failure is not None:
                raise _Found
            case, _ = self.build(draw)
            measure = self.tally.measure(self.prop)
            self.judge(case, self.live(), measure, searched=True)
            if self.profile.steer:
                target(min(measure.ratio, 1e6))
            if self.failure is not None:
                raise _Found

        with suppress(_Found):
            explore()

    def build(self, draw: Draw) -> tuple[Case, bool]:
        """The case of a draw, and whether it was projected onto what is supported."""
        return build(draw, self.prop.space, self.narrow, FORMATS[self.dtype])

    def live(self) -> Recorder:
        """Somebody to ask: the implementation, under watch."""
        if self.asker is not None:
            return self.asker(self.watch)
        return Live(self.session, self.session.implementation.capabilities.options, self.watch)

    # -- one case --------------------------------------------------------------------------------

    def judge(
        self, case: Case, live: Recorder, measure: Measure, *, searched: bool = False
    ) -> tuple[str, str | None]:
        """Put one case to the property: its letter for the corpus string, and its label."""
        trial = Trial(live, self.truth, measure)
        label = None
        try:
            label = self.prop.body(case, trial)
        except Violation as violation:
            if refusal(live) is None:
                self.tally.count(case, searched)
                self.tally.failed += 1
                self.fail(Failure.of(case, violation, live))
                return "f", None
        if (why := refusal(live)) is not None:
            self.refused = self.refused or why
            return "-", None
        if live.answers:
            self.tally.count(case, searched)
            self.tally.keep(case, measure)
        if label is not None:
            self.labels[label] += 1
        return ("p" if live.answers else "-"), label

    def examine(self, case: Case) -> Failure | None:
        """How a case fails, if it does."""
        return self.put(case)[0]

    def put(self, case: Case) -> tuple[Failure | None, Recorder]:
        """How a case fails, if it does, and who asked."""
        live = self.live()
        try:
            self.prop.body(case, Trial(live, self.truth))
        except Violation as violation:
            if refusal(live) is None:
                return Failure.of(case, violation, live), live
        return None, live

    def fail(self, failure: Failure) -> None:
        """Sort a failure: expected, or the first unexpected one, minimised."""
        if failure.violation.kind == "raised" and (why := lost(self.session, self.dtype)):
            message = f"{why}; it began with: {failure.violation.message}"
            failure = replace(failure, violation=Violation("crash", message))
        case, violation = failure.case, failure.violation
        place = self.expected(case, violation)
        if violation.kind == "crash":  # asking on, or again, is in vain
            if place is None:
                restarts = self.session.implementation.process is not None
                smaller = self.smallest(case, violation) if restarts else None
                self.failure = self.failure or smaller or failure
            else:
                self.seen.setdefault(place, failure)
            raise _Found
        if place is not None and place in self.seen:
            return
        again, live = self.put(case)
        if again is None or way(again.violation) != way(violation):
            self.failure = self.failure or failure.but_then(again, live)
        elif place is not None:
            readable = case.logits.size <= READABLE
            self.seen[place] = again if readable else self.smallest(case, violation, place) or again
        elif self.failure is None:
            self.failure = self.smallest(case, violation) or again

    def smallest(
        self, case: Case, violation: Violation, place: int | None = None
    ) -> Failure | None:
        """The smallest case found that fails in the same way, of the same expectation if any."""
        if self.profile.frugal:
            return None
        return self.examine(minimise(case, self.fails_like(violation, place)))

    def fails_like(self, violation: Violation, place: int | None) -> Callable[[Case], bool]:
        """Whether another case fails in the same way, expected or not as the first one was."""

        def fails(case: Case) -> bool:
            if not self.prop.space.admits(case):
                return False  # another question, which may rightly have another answer
            found = self.examine(case)
            if found is None or way(found.violation) != way(violation):
                return False
            return self.expected(case, found.violation) == place

        return fails

    def expected(self, case: Case, violation: Violation) -> int | None:
        """The expectation that covers a failure, by its place; None if there is none."""
        if not self.known:
            return None
        found = features(case, self.truth, self.session.device)
        for place, expectation in enumerate(self.known):
            if expects(expectation, violation) and expectation.matches(found):
                return place
        return None

    # -- what it amounts to ----------------------------------------------------------------------

    def conclusion(self) -> dict[str, Any]:
        """The fields of the record."""
        fields = self.tally.fields() | {"label": self._label()}
        floor = self.profile.corpus_per_regime * len(self.prop.space.regimes)
        fields["examples"]["floor"] = floor
        if self.failure is not None:
            return fields | {
                "outcome": self.failure.outcome,
                "message": self.failure.message,
                "witness": self.failure.witness(self.session, self.dtype, self.prop),
            }
        stale = self._stale()
        if stale is not None:
            return fields | {
                "outcome": "pass",
                "expectation": "stale",
                "reason": stale.reason,
                "link": stale.link,
                "message": "expected to fail, but its witness passes: "
                "remove it with `conformance known prune`",
            }
        if self.seen:
            place = min(self.seen)
            expectation, failure = self.known[place], self.seen[place]
            return fields | {
                "outcome": failure.outcome,
                "expectation": "known",
                "reason": expectation.reason,
                "link": expectation.link,
                "message": failure.violation.message,
                "witness": failure.witness(self.session, self.dtype, self.prop),
            }
        if self.refused:  # what could be asked is not all that the property is about: no pass
            return {"outcome": "unsupported", "reason": self.refused}
        return fields | self._evidence()

    def _evidence(self) -> dict[str, Any]:
        """Pass, if enough was asked in every regime and the comparison can reject."""
        least = self.profile.corpus_per_regime
        missing = [r for r in self.prop.space.regimes if self.tally.regimes[r] < least]
        unseen = [name for name in self.narrow.layouts if not self.tally.layouts[name]]
        if unseen:
            return {
                "outcome": "not-run",
                "reason": f"no case was judged in the memory layout {', '.join(unseen)}",
            }
        if missing:
            return {
                "outcome": "not-run",
                "reason": f"fewer than {least} cases were judged in the regime "
                + ", ".join(missing),
            }
        spoiled, rejected = self.tally.spoiled, self.tally.rejected
        if rejected < REQUIRED * spoiled or not spoiled:
            return {
                "outcome": "vacuous",
                "message": f"the comparison rejected {rejected} of {spoiled} spoiled answers, "
                f"at least {REQUIRED:.0%} must be: a fault of the suite",
            }
        return {"outcome": "pass"}

    def _stale(self) -> Expectation | None:
        """An expectation whose witness passes, and of which nothing else failed either."""
        for place, fails in self.still_fails.items():
            gone = not fails and place not in self.seen
            if gone and self.known[place].seen_with(versions_of(self.session), machine()):
                return self.known[place]
        return None

    def _label(self) -> str | None:
        if self.prop.level != "behaviour" or not self.labels:
            return None
        return ", ".join(sorted(self.labels))


def refusal(asker: Recorder) -> str | None:
    """Why the adapter could not pass on something that was asked, in its words, if it could not."""
    refused = (answer.raised for answer in asker.answers if answer.unsupported)
    return next((raised.message for raised in refused if raised), None)


def expects(expectation: Expectation, violation: Violation) -> bool:
    """Whether a violation is of the way, and within the distance, that an expectation records."""
    return expectation.expects(*way(violation), violation.off)


class _Found(Exception):
    """Ends the search, or all of the cell where nobody is left to be asked."""


def _seed(seed: int, slug: str, dtype: str) -> int:
    digest = blake2b(f"{seed}/{slug}/{dtype}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
