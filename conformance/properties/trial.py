"""A trial: one case put to one implementation, its answers compared with what must hold.

Comparisons check shape first, then where values are NaN or infinite, then the finite values against
a bound for each element.  There is no tolerance here: every bound comes from the spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.errors import AdapterError, LostError
from conformance.properties.asking import ANY_LOSS, Answer, Array, Asker
from conformance.properties.truth import Truth
from conformance.spec.double_double import Pair
from conformance.spec.formats import FORMATS, format_of
from conformance.spec.oracle import Solution

Float64 = NDArray[np.float64]


class Violation(Exception):
    """A property does not hold on a case."""

    def __init__(
        self, kind: str, message: str, *, expected: str = "", got: str = "", off: float = np.inf
    ) -> None:
        super().__init__(message)
        self.kind = kind
        """The way it fails: wrong | not-finite | shape | dtype | raised | modified | accepted."""
        self.message = message
        self.expected = expected
        self.got = got
        self.off = off
        """The error / bound; infinite where it is no number that is too far off another."""


@dataclass
class Measure:
    """How close the compared values of a trial came to their bounds."""

    ratio: float = 0.0
    """The largest error / bound."""
    ulp: float = 0.0
    """The largest error in units in the last place of the dtype."""
    errors: list[tuple[Float64, Float64]] | None = None
    """(errors in ulp, errors / bound), element by element, where the property collects them."""


class Trial:
    """What a property's body gets: ways to ask, the truth, and ways to compare."""

    def __init__(self, asker: Asker, truth: Truth, measure: Measure | None = None) -> None:
        self._asker = asker
        self.truth = truth
        self.measure = measure or Measure()

    # -- asking ----------------------------------------------------------------------------------

    def ask(self, question: str, case: Case) -> Array:
        """The answer to a question; an exception of the implementation is a violation."""
        answer = self._put(question, case)
        if answer.value is None:
            raise Violation("raised", f"raised {answer.raised}", got=str(answer.raised))
        return answer.value

    def _put(self, question: str, case: Case) -> Answer:
        try:
            return self._asker.ask(question, case)
        except LostError as error:  # not an answer, whatever the property takes for one
            raise Violation("crash", str(error)) from None

    def loss(self, case: Case) -> Array:
        """The loss; one of another shape than the reduction promises is a violation."""
        return self.shaped("the loss", self.ask("loss", case), case.result_shape)

    def gradient(self, case: Case) -> Array:
        """The vector-Jacobian product with the case's cotangent, which is shaped as the logits."""
        return self.shaped("the gradient", self.ask("gradient", case), case.logits.shape)

    def outcome(self, case: Case) -> Array | str:
        """The loss, or ``raises <type>`` where the implementation refuses."""
        answer = self._put("loss", case)
        return answer.value if answer.value is not None else f"raises {_type_of(answer.raised)}"

    def accepted(self, case: Case) -> str | None:
        """What came back for a question that must be refused; None where it was."""
        try:
            answer = self._put("loss", case)
        except AdapterError as error:  # no array: an answer nevertheless
            return str(error)
        if answer.value is None:
            return None
        value = answer.value
        return f"{value.reshape(-1)[0]:.6g}" if value.size == 1 else f"an array {value.shape}"

    def is_answered(self, case: Case) -> None:
        """The loss is finite where it should be: whoever refuses everything validates nothing.

        How accurate it is is asked elsewhere.
        """
        loss = self.loss(case)
        lost = np.isfinite(self.exact(case).loss.hi) & ~np.isfinite(loss.astype(np.float64))
        self.require(
            not lost.any(), "a right question gets no number", kind="not-finite", got=str(loss)
        )

    def call(self, case: Case) -> None:
        """Call with those of the case's options that the implementation takes, whatever follows."""
        self._put(ANY_LOSS, case)

    # -- truth -----------------------------------------------------------------------------------

    def exact(self, case: Case) -> Solution:
        return self.truth.solution(case)

    # -- comparing -------------------------------------------------------------------------------

    def loss_is_right(self, case: Case, level: str = "accurate") -> None:
        """The loss agrees with the formula within the bound of an accuracy level."""
        bound = self.truth.loss_bound(case, level)
        self.within("the loss", self.loss(case), self.exact(case).loss, bound)

    def gradient_is_right(self, case: Case, level: str = "accurate") -> None:
        """The gradient agrees with the formula within the bound of an accuracy level."""
        bound = self.truth.gradient_bound(case, level)
        exact = self.exact(case).gradient
        assert exact is not None  # solutions are made with their gradient
        self.within("the gradient", self.gradient(case), exact, bound)

    def loss_combines(self, case: Case, parts: Sequence[tuple[float, Case]]) -> None:
        """The loss of a case is a sum of other losses, each times a power of two."""
        loss = self.loss(case)
        total = np.zeros(loss.shape)
        bound = self.truth.loss_bound(case)
        with np.errstate(over="ignore", invalid="ignore"):
            for factor, other in parts:
                term = factor * self.loss(other).astype(np.float64)
                self.require(
                    term.shape == loss.shape,
                    f"one loss has shape {loss.shape}, another {term.shape}",
                    kind="shape",
                )
                total = total + term
                # The product is exact, the addition rounds once.
                bound = bound + factor * self.truth.loss_bound(other) + rounding(total)
        self.same("the loss", loss, total, bound)

    def at_least(self, what: str, got: Array, least: Float64, bound: Float64) -> None:
        """An inequality: ``got`` is not below ``least`` by more than ``bound``."""
        values = self.shaped(what, got, bound.shape).astype(np.float64)
        limit = np.broadcast_to(least, bound.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            # Negated, so that a NaN counts as too small.
            fails = ~((values >= limit - bound) | np.isposinf(bound))
        if fails.any():
            where = _first(fails)
            raise Violation(
                "wrong" if np.isfinite(values[where]) else "not-finite",
                f"{what}{_at(where)} is {values[where]:.9g}, should be at least "
                f"{limit[where]:.9g} - {bound[where]:.2g}",
                expected=f">= {float(limit[where])!r}",
                got=f"{float(values[where])!r}",
                off=_over(limit[where] - values[where], bound[where]),
            )

    def shaped(self, what: str, got: Array, shape: tuple[int, ...]) -> Array:
        """``got``, which has that shape."""
        if got.shape != shape:
            raise Violation(
                "shape",
                f"{what} has shape {got.shape}, should be {shape}",
                expected=f"shape {shape}",
                got=f"shape {got.shape}",
            )
        return got

    def within(self, what: str, got: Array, exact: Pair, bound: Float64) -> None:
        """``got`` is within ``bound`` of an exact value given as hi + lo."""
        expected = exact.hi
        values = self.shaped(what, got, expected.shape).astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            error = np.abs((values - expected) - exact.lo)
        # Negated, so that a NaN counts as an excess.
        excess = ~(error <= bound)
        if excess.any():
            excess = _real_excess(values, expected, bound, excess)
            if excess.any():
                raise _too_far(what, got, exact, error, bound, excess)
        self._note(error, expected, bound, got)

    def same(self, what: str, got: Array, other: Array, bound: Float64) -> None:
        """Two computed values agree within the sum of their bounds.

        Both must be finite where that sum is: NaN is no agreement with NaN.
        """
        values = other.astype(np.float64)
        if bound.shape not in ((), values.shape):
            raise Violation(
                "shape", f"{what}: what it is compared with has shape {values.shape}, wrongly"
            )
        if values.shape == bound.shape and (np.isfinite(bound) & ~np.isfinite(values)).any():
            raise Violation(
                "not-finite",
                f"{what}: what it is compared with is {values.reshape(-1)[:4]}, not finite",
                got=str(other),
            )
        self.within(what, got, Pair(values, np.zeros_like(values)), bound)

    def identical(self, what: str, got: Array, expected: Array, kind: str = "wrong") -> None:
        """Equal bit for bit, but for the sign of zero and the payload of NaN."""
        self.shaped(what, got, expected.shape)
        if got.dtype.kind in "iub":
            differ = got != expected
        else:
            a, b = got.astype(np.float64), expected.astype(np.float64)
            differ = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if np.any(differ):
            where = _first(differ)
            raise Violation(
                kind,
                f"{what} differs{_at(where)}",
                expected=str(expected[where]),
                got=str(got[where]),
            )

    def require(self, holds: Any, message: str, *, kind: str = "wrong", got: str = "") -> None:
        """A condition that is no comparison of numbers."""
        if not holds:
            raise Violation(kind, message, got=got)

    def _note(self, error: Float64, expected: Float64, bound: Float64, got: Array) -> None:
        if not error.size:
            return
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            judged = np.isfinite(error) & np.isfinite(bound) & (bound > 0)
            ratios = np.where(judged, error / bound, 0.0)
        self.measure.ratio = max(self.measure.ratio, float(ratios.max()))
        if self.measure.errors is not None and got.dtype.name in FORMATS:
            finite = judged & np.isfinite(expected)
            ulps = error[finite] / format_of(got.dtype).ulp(expected[finite])
            self.measure.errors.append((ulps, ratios[finite]))
            self.measure.ulp = max(self.measure.ulp, float(ulps.max(initial=0.0)))


def rounding(values: Float64) -> Float64:
    """The error of one float64 operation with these results; none where it is not finite.

    An infinite bound would accept anything beside an infinite value.
    """
    return np.where(np.isfinite(values), 2.0**-53 * np.abs(values), 0.0)


def _type_of(raised: Any) -> str:
    return raised.type if raised is not None else "nothing"


def _real_excess(
    values: Float64, expected: Float64, bound: Float64, excess: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Where the error exceeds the bound once NaN and infinities are compared as such."""
    special = ~np.isfinite(expected)
    match = np.where(np.isnan(expected), np.isnan(values), values == expected)
    anything_goes = np.isposinf(bound)
    judged: NDArray[np.bool_] = np.where(special, ~match, excess) & ~anything_goes
    return judged


def _too_far(
    what: str, got: Array, exact: Pair, error: Float64, bound: Float64, excess: NDArray[np.bool_]
) -> Violation:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(excess, np.where(np.isnan(error), np.inf, error / bound), -1.0)
    where = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    value, expected = got[where], float(exact.hi[where])
    limit = float(np.broadcast_to(bound, got.shape)[where])
    kind = "not-finite" if np.isfinite(expected) and not np.isfinite(float(value)) else "wrong"
    message = f"{what}{_at(where)} is {float(value):.9g}, should be {expected:.9g}"
    if kind == "wrong" and np.isfinite(expected):
        message += f" ± {limit:.2g} (off by {float(error[where]):.2g})"
    return Violation(
        kind,
        message,
        expected=f"{expected!r} ± {limit:.3g}",
        got=f"{float(value)!r}",
        off=_over(error[where], limit),
    )


def _over(error: Any, bound: Any) -> float:
    """How many bounds an error is: infinite for a NaN, and where nothing is allowed."""
    return float(error) / float(bound) if np.isfinite(error) and bound > 0 else np.inf


def _first(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0]) if np.ndim(mask) else ()


def _at(where: tuple[Any, ...]) -> str:
    return f"[{', '.join(str(int(i)) for i in where)}]" if where else ""
