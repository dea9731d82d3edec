"""Questions asked in a process of their own: on an accelerator some of them poison the device.

After a label out of range, a CUDA kernel may fail an assertion, and then its process gets no answer
to anything.  So such a question is asked once, by a process that is thrown away if it was the last
that it could answer, and a cell of them has few: no search, and no smaller counterexample.
"""

from __future__ import annotations

import selectors
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from conformance.cases.case import Case
from conformance.contract.session import Session
from conformance.errors import AdapterError
from conformance.judging.cell import judge_cell
from conformance.judging.profiles import PROFILES
from conformance.properties.asking import Answer, Raised, Watch
from conformance.properties.property import Property
from conformance.properties.trial import Violation
from conformance.records.known import Expectation
from conformance.records.results import Cell
from conformance.records.schema import Record
from conformance.records.witness import decode_array, encode_case
from conformance.running.process import Garbled, Worker

FRUGAL = replace(PROFILES["quick"], name="frugal", frugal=True)
TICK = 0.25


def judge_apart(
    session: Session,
    prop: Property,
    dtype: str,
    *,
    target: str,
    seed: int,
    expectations: Sequence[Expectation],
    watch: Watch,
) -> Cell:
    """Judge a property whose questions poison devices; ``target`` finds the adapter once more.

    A process that dies of a question makes the cell a crash.
    """
    job = {
        "target": target,
        "name": session.implementation.name,
        "device": session.device,
        "dtype": dtype,
    }
    with Answerers(job) as answerers:
        return judge_cell(
            session,
            replace(prop, poisons=False),
            dtype,
            profile=FRUGAL,
            seed=seed,
            expectations=expectations,
            watch=watch,
            asker=lambda watch: Apart(answerers, watch),
        )


class Apart:
    """Asks in another process, and remembers each answer."""

    def __init__(self, answerers: Answerers, watch: Watch) -> None:
        self._answerers, self._watch = answerers, watch
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, Case]] = []

    def ask(self, question: str, case: Case) -> Answer:
        """The answer; a process that ends instead is a ``Violation``."""
        self._answerers.prepare()  # its start is no part of the question
        self._watch(case)
        self.asked.append((question, case))
        try:
            answer = self._answerers.answer(question, case)
        finally:
            self._watch(None)
        self.answers.append(answer)
        return answer


class Answerers:
    """Processes that answer, one at a time: the next one starts when one can answer no more."""

    def __init__(self, job: Record) -> None:
        self.started = 0
        self._job = job
        self._selector = selectors.DefaultSelector()
        self._worker: Worker | None = None

    def __enter__(self) -> Answerers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
        self._selector.close()

    def prepare(self) -> Worker:
        """A process that is ready.  ``AdapterError`` where the adapter does not load in it."""
        if self._worker is None:
            self.started += 1
            self._worker = Worker("conformance.running.answers", self._job, self._selector)
            try:
                message = self._next_message(self._worker)
            except Violation as lost:
                raise AdapterError(f"lost in loading: {lost.message}") from None
            if message["kind"] != "ready":
                self.end()
                raise AdapterError(str(message.get("reason")))
        return self._worker

    def answer(self, question: str, case: Case) -> Answer:
        """What a process answers.  Raises ``Violation`` where it ends instead, and ``AdapterError``
        where it answers with no array."""
        worker = self.prepare()
        worker.send({"question": question, "case": encode_case(case, effort=0)})
        message = self._next_message(worker)
        if not message.get("fit"):
            self.end()
        return decoded(message)

    def end(self) -> None:
        """End the process that is left; what it printed counts as printed by this one."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()
            print(worker.last_words() or "", end="")

    def _next_message(self, worker: Worker) -> Record:
        """What it says next.  No time is limited here: whoever watches this process does that."""
        while True:
            self._selector.select(TICK)
            ended = worker.ended()
            try:
                for message in worker.messages():
                    return message
            except Garbled as error:
                self.end()
                why = f"the implementation wrote to the suite's pipe: {error}"
                raise Violation("crash", why) from None
            if ended:
                how = worker.how()
                self.end()
                raise Violation("crash", f"the process that was asked {how}", got=how)


def decoded(message: Record) -> Answer:
    """The answer in a message.  ``AdapterError`` where there is none."""
    if message.get("broken"):
        raise AdapterError(str(message["broken"]))
    try:
        raised: Any = message["raised"]
        if raised:
            why = Raised(str(raised["type"]), str(raised["message"]))
            return Answer(None, why, unsupported=bool(message["unsupported"]))
        return Answer(decode_array(message["value"], "answer"))
    except (KeyError, TypeError) as error:
        raise AdapterError(f"an answer that is none: {error!r}") from None
