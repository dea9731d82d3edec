"""What the right answer to a case is, and how far a right implementation may be from it.

A thin memory over the spec: cases are asked about several times (by the comparison, by the power
test, by the minimiser), the oracle works once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.spec import bounds
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
}
"""The named accuracy levels: which roundings an implementation may commit (spec/bounds.py)."""

REMEMBERED = 256


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

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

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

    @staticmethod
    def _arithmetic(case: Case, level: str) -> bounds.Arithmetic:
        return ACCURACY[level](format_of(case.logits.dtype), case.classes)

    def _recall(self, key: Any, compute: Callable[[], T]) -> T:
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[key] = compute()
        known: T = self._known[key]
        return known
