"""What the right answer to a case is, and how far a right implementation may be from it.

A thin memory over the spec: cases are asked about several times (by the comparison, by the power
test, by the minimiser), the oracle works once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.spec import bounds, derivatives
from conformance.spec.double_double import Pair
from conformance.spec.formats import format_of
from conformance.spec.formulas import legacy_reduction
from conformance.spec.oracle import Solution, solve
from conformance.spec.problem import Problem, make_problem

Bound = NDArray[np.float64]

T = TypeVar("T")

ACCURACY: dict[str, Callable[[Any, int], bounds.Arithmetic]] = {
    "accurate": bounds.accurate,
    "accumulates-in-float32": bounds.accumulates_in_float32,
    "offset-costs-nothing": bounds.offset_costs_nothing,
    "wide": bounds.wide,
    "simd8": bounds.simd8,
}
"""The named accuracy levels: which roundings an implementation may commit (spec/bounds.py)."""

REMEMBERED = 256
"""Answers kept: enough for the several looks at one case."""

LOGITS = 2**22
"""The logits of their cases, all together: a few of the largest, some hundred megabytes."""


def reduction_of(case: Case) -> str:
    """The reduction that a case asks for: said, by default, or by the legacy rule."""
    if case.size_average is not None or case.reduce is not None:
        return legacy_reduction(case.size_average, case.reduce)
    return case.reduction or "mean"


def problem_of(case: Case) -> Problem:
    """The case in the spec's own terms, options left out at the defaults of the spec."""
    return make_problem(
        case.logits,
        case.target,
        weight=case.weight,
        ignore_index=-100 if case.ignore_index is None else case.ignore_index,
        label_smoothing=case.label_smoothing or 0.0,
        reduction=reduction_of(case),
        cotangent=case.cotangent,
    )


class Truth:
    """Exact answers and bounds for cases, remembered by content."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._known: dict[Any, Any] = {}
        self._logits = 0

    def solution(self, case: Case) -> Solution:
        """The exact loss and gradient of a case."""
        return self._recall(("solution", case.key), lambda: solve(problem_of(case)))

    def loss_bound(self, case: Case, level: str = "accurate") -> Bound:
        """How far a right loss may be off, per element of the result.

        Infinite for a mean over nothing (all rows ignored, or weights that sum to 0): 0/0 is a
        choice point, which properties of behaviour record.
        """

        def compute() -> Bound:
            solution = self.solution(case)
            if solution.denominator == 0:
                return np.full((), np.inf)
            return bounds.loss_bound(solution, self._arithmetic(case, level))

        return self._recall(("loss", level, case.key), compute)

    def relative_bound(self, case: Case) -> Bound:
        """How far a loss may be off that is accurate to its own last places, however small."""
        return self._recall(
            ("relative", case.key),
            lambda: bounds.relative_bound(self.solution(case), self._arithmetic(case, "wide")),
        )

    def gradient_bound(self, case: Case, level: str = "accurate") -> Bound:
        """How far a right gradient may be off, per logit.

        Infinite for a mean whose weights sum to 0; with all rows ignored the gradient is 0.
        """

        def compute() -> Bound:
            solution = self.solution(case)
            assert solution.gradient is not None  # solutions are made with their gradient
            if solution.denominator == 0 and np.isnan(solution.gradient.hi).any():
                return np.full(case.logits.shape, np.inf)
            return bounds.gradient_bound(solution, self._arithmetic(case, level))

        return self._recall(("gradient", level, case.key), compute)

    def chain_loss_bound(self, case: Case) -> Bound:
        """The same for softmax -> log -> NLL; infinite where the steps are ill-conditioned."""
        return self._recall(
            ("chain loss", case.key),
            lambda: bounds.decomposition_bound(
                self.solution(case), self._arithmetic(case, "accurate")
            ),
        )

    def chain_gradient_bound(self, case: Case) -> Bound:
        return self._recall(
            ("chain gradient", case.key),
            lambda: bounds.decomposition_gradient_bound(
                self.solution(case), self._arithmetic(case, "accurate")
            ),
        )

    def jvp(self, case: Case) -> tuple[Pair, Bound]:
        """The exact derivative of the loss along the case's tangent, and how far it may be off."""

        def compute() -> tuple[Pair, Bound]:
            solution = self.solution(case.but(cotangent=None))
            bound = bounds.jvp_bound(solution, case.tangent, self._arithmetic(case, "accurate"))
            return derivatives.jvp(solution, case.tangent), bound

        return self._recall(("jvp", case.key), compute)

    def hvp(self, case: Case) -> tuple[Pair, Bound]:
        """The exact Hessian times the case's tangent, and how far it may be off."""

        def compute() -> tuple[Pair, Bound]:
            solution = self.solution(case)
            bound = bounds.hvp_bound(solution, case.tangent, self._arithmetic(case, "accurate"))
            return derivatives.hvp(solution, case.tangent), bound

        return self._recall(("hvp", case.key), compute)

    def target_gradient(self, case: Case) -> tuple[Pair, Bound]:
        """The exact gradient with respect to probabilities, and how far it may be off."""

        def compute() -> tuple[Pair, Bound]:
            solution = self.solution(case)
            bound = bounds.target_vjp_bound(solution, self._arithmetic(case, "accurate"))
            return derivatives.target_vjp(solution), bound

        return self._recall(("target gradient", case.key), compute)

    @staticmethod
    def _arithmetic(case: Case, level: str) -> bounds.Arithmetic:
        return ACCURACY[level](format_of(case.logits.dtype), case.classes)

    def _recall(self, key: Any, compute: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = compute()
            self._logits += _logits(key)
            while len(self._known) > self._remembered or (
                self._logits > LOGITS and len(self._known) > 1
            ):
                oldest = next(iter(self._known))
                self._logits -= _logits(oldest)
                del self._known[oldest]
        known: T = self._known[key]
        return known


def _logits(key: tuple[Any, ...]) -> int:
    """How many logits the case of an answer has; its key ends with the case's."""
    (_, shape, _), *_ = key[-1]
    return math.prod(shape)
