"""Questions to an implementation and its answers, live or remembered.

A property asks through an Asker.  The power test asks the same property again with the remembered
answers, one of them spoiled: the implementation is not called twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from conformance.cases.calls import WAYS
from conformance.cases.case import Case
from conformance.cases.layouts import lay_out
from conformance.errors import ConformanceError, Unsupported

Array = NDArray[Any]


@dataclass(frozen=True)
class Raised:
    """The implementation raised instead of answering."""

    type: str
    """Without white space, so that in the text of both it ends where ``": "`` begins."""
    message: str

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True)
class Answer:
    """What came back: an array, or an exception."""

    value: Array | None
    raised: Raised | None = None
    unsupported: bool = False
    """Whether the adapter raised ``Unsupported``: what it adapts was not asked."""


class Session(Protocol):
    """What an Asker needs of an implementation (``contract.Session`` is one)."""

    def loss(self, logits: Array, target: Array, **options: Any) -> Array: ...
    def gradient(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array: ...
    def chain_loss(self, chain: str, logits: Array, target: Array, **options: Any) -> Array: ...
    def chain_gradient(
        self, chain: str, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array: ...
    def gradient_after_others(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array: ...
    def jvp(self, tangent: Array, logits: Array, target: Array, **options: Any) -> Array: ...
    def hvp(
        self, cotangent: Array, tangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array: ...
    def target_gradient(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array: ...
    def kept_loss(self, logits: Array, target: Array, **options: Any) -> Array: ...
    def kept_gradient(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array: ...
    def arguments_after_loss(
        self, logits: Array, target: Array, **options: Any
    ) -> dict[str, Array]: ...
    def arguments_after_gradient(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> dict[str, Array]: ...
    def changes_by_calls(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> str: ...


class Asker(Protocol):
    """Answers questions about cases."""

    def ask(self, question: str, case: Case) -> Answer: ...


class Recorder(Asker, Protocol):
    """An asker that remembers what it asked and heard."""

    answers: list[Answer]
    asked: list[tuple[str, Case]]


ANY_LOSS = "any loss"
"""The loss with those of a case's options that the implementation takes: a call between others."""

NO_CHANGES = "no change"
"""The answer about settings where none was changed; it comes, like all answers, as an array."""


Watch = Callable[[Case | None], None]
"""Who is told each case before it is asked, and None once it is answered."""


def unwatched(case: Case | None) -> None:
    """Nobody watches."""


class Live:
    """Asks the implementation and remembers each answer."""

    def __init__(self, session: Session, options: frozenset[str], watch: Watch) -> None:
        self.session = session
        self.options = options
        self.watch = watch
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, Case]] = []

    def ask(self, question: str, case: Case) -> Answer:
        if question == ANY_LOSS:
            undeclared = [name for name in case.options if name not in self.options]
            question, case = "loss", case.but(**dict.fromkeys(undeclared))
        self.watch(case)
        self.asked.append((question, case))
        logits, target, options = case.arguments()
        if "reduction" not in self.options:
            options.pop("reduction", None)  # it reduces in one way, and takes no argument for it
        try:
            answer = Answer(QUESTIONS[question](self.session, case, (logits, target, options)))
        except ConformanceError:
            raise  # the adapter is broken, not the implementation wrong
        except Exception as error:
            # One line, bounded: it goes into records; some frameworks append a stack to it.
            message = str(error).strip().split("\n")[0][:300]
            raised = Raised(type(error).__name__, message)
            answer = Answer(None, raised, unsupported=isinstance(error, Unsupported))
        finally:
            self.watch(None)
        self.answers.append(answer)
        return answer


class Remembered:
    """Answers in the order in which they were once given."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.left = iter(answers)

    def ask(self, question: str, case: Case) -> Answer:
        return next(self.left)


Arguments = tuple[Array, Array, dict[str, Any]]
Call = Callable[[Session, Case, Arguments], Array]


def _loss(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.loss(logits, target, **options)


def _gradient(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.gradient(cotangent_of(case), logits, target, **options)


def _gradient_after_others(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.gradient_after_others(cotangent_of(case), logits, target, **options)


def _jvp(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.jvp(case.tangent, logits, target, **options)


def _hvp(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.hvp(cotangent_of(case), case.tangent, logits, target, **options)


def _target_gradient(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.target_gradient(cotangent_of(case), logits, target, **options)


def _chain_loss(chain: str) -> Call:
    def ask(session: Session, case: Case, arguments: Arguments) -> Array:
        logits, target, options = arguments
        return session.chain_loss(chain, logits, target, **options)

    return ask


def _chain_gradient(chain: str) -> Call:
    def ask(session: Session, case: Case, arguments: Arguments) -> Array:
        logits, target, options = arguments
        return session.chain_gradient(chain, cotangent_of(case), logits, target, **options)

    return ask


def _kept_loss(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.kept_loss(logits, target, **options)


def _kept_gradient(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    return session.kept_gradient(cotangent_of(case), logits, target, **options)


def _loss_by(way: str) -> Call:
    def ask(session: Session, case: Case, arguments: Arguments) -> Array:
        logits, target, options = arguments
        answer: Array = WAYS[way](session.loss)(logits, target, **options)
        return answer

    return ask


def _gradient_by(way: str) -> Call:
    def ask(session: Session, case: Case, arguments: Arguments) -> Array:
        logits, target, options = arguments
        call = WAYS[way](session.gradient)
        answer: Array = call(cotangent_of(case), logits, target, **options)
        return answer

    return ask


def _inputs_after(question: str) -> Call:
    def ask(session: Session, case: Case, arguments: Arguments) -> Array:
        logits, target, options = arguments
        if question == "loss":
            after = session.arguments_after_loss(logits, target, **options)
        else:
            cotangent = cotangent_of(case)
            after = session.arguments_after_gradient(cotangent, logits, target, **options)
        return input_bytes(after["logits"], after["target"], after.get("weight"))

    return ask


def _settings_after(session: Session, case: Case, arguments: Arguments) -> Array:
    logits, target, options = arguments
    said = session.changes_by_calls(cotangent_of(case), logits, target, **options)
    return np.frombuffer((said or NO_CHANGES).encode(), np.uint8)


QUESTIONS: dict[str, Call] = {
    "loss": _loss,
    "gradient": _gradient,
    "gradient after others": _gradient_after_others,
    "jvp": _jvp,
    "hvp": _hvp,
    "target gradient": _target_gradient,
    "softmax-log-nll loss": _chain_loss("softmax-log-nll"),
    "softmax-log-nll gradient": _chain_gradient("softmax-log-nll"),
    "log_softmax-nll loss": _chain_loss("log_softmax-nll"),
    "log_softmax-nll gradient": _chain_gradient("log_softmax-nll"),
    "kept loss": _kept_loss,
    "kept gradient": _kept_gradient,
    "reused-buffer loss": _loss_by("reused-buffer"),
    "last-rows loss": _loss_by("last-rows"),
    "last-rows gradient": _gradient_by("last-rows"),
    "inputs after the loss": _inputs_after("loss"),
    "inputs after the gradient": _inputs_after("gradient"),
    "settings after the calls": _settings_after,
}


def cotangent_of(case: Case) -> Array:
    """The case's cotangent in the case's memory layout, or ones in the shape of its result."""
    if case.cotangent is not None:
        return lay_out(case.cotangent, case.layout)
    return np.ones(case.result_shape, case.logits.dtype)


def input_bytes(logits: Array, target: Array, weight: Array | None) -> NDArray[np.uint8]:
    """The values of the inputs, bit for bit, as one array of bytes."""
    content = logits.tobytes() + target.tobytes() + (b"" if weight is None else weight.tobytes())
    return np.frombuffer(content, np.uint8)
