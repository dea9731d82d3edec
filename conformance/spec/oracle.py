"""The exact answer to a problem, up to an error that is known and far below what is judged.

Two judges work by the same formulas (`engines`): double-double arithmetic where float64 is under
test, plain float64 for the narrower formats.  Their errors stay below `ERROR` times the same
formula with each term replaced by its magnitude, which for non-negative weights is the loss itself.
Measured against mpmath over 10^4 adversarial rows each (tests/spec): 2^-74 and 2^-50.

Infinities and NaN follow torch.nn.CrossEntropyLoss, which is IEEE arithmetic on the formulas:

- a logit of -inf has probability 0.  The row's loss is finite if the target is another class, and
  coefficient * inf if its log-probability has a coefficient, as at a target, under smoothing, or
  with any probability target; 0 * inf is NaN.  The gradient is finite: p_j = 0.
- NaN, +inf, or nothing but -inf make the row's loss and gradient NaN;
- an ignored row has loss 0 and gradient 0 whatever it holds; with all rows ignored, or none there,
  the mean is NaN;
- weights that sum to zero are a denominator of zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conformance.errors import UsageError
from conformance.spec import double_double as dd
from conformance.spec import engines
from conformance.spec.double_double import Pair
from conformance.spec.engines import Answer, Question
from conformance.spec.problem import Problem
from conformance.spec.softmax_rows import SoftmaxRows, row_blocks

Float64 = NDArray[np.float64]

ERROR = {"double-double": 2.0**-70, "float64": 2.0**-43}
"""The relative error of each engine, and so of what `solve` returns."""

_HUGE = 2.0**900
"""Logits beyond are left to the float64 engine: products of double-doubles would overflow."""

_BLOCK = 1 << 17
"""Logits worked on at a time, to stay in the cache."""


@dataclass(frozen=True, eq=False)
class Solution:
    """The exact loss and gradient of a problem."""

    problem: Problem
    engine: str
    loss_rows: Pair
    """(M,): the losses before reduction, weighted, 0 where ignored."""
    loss: Pair
    """Of the result's shape."""
    gradient: Pair | None
    """Of the logits' shape."""
    denominator: float
    """What the mean divides by; 1 for the other reductions."""
    factor: Float64
    """(M,): the weight of each row's class, 0 where ignored (1 for probabilities)."""
    softmax: SoftmaxRows
    question: Question
    """As the engine was asked."""

    @property
    def error(self) -> float:
        """The relative error of this solution."""
        return ERROR[self.engine]


def solve(problem: Problem, *, engine: str | None = None, gradient: bool = True) -> Solution:
    """Work out a problem: ``engine`` is "double-double", "float64" or None, by the format."""
    if engine is None:
        engine = "double-double" if problem.format.precision == 53 else "float64"
    if engine not in ERROR:
        raise UsageError(f"unknown engine {engine!r}: one of {', '.join(ERROR)}")
    with np.errstate(all="ignore"):
        return _solve(problem, engine, gradient)


def _solve(problem: Problem, engine: str, gradient: bool) -> Solution:
    x, masked, hopeless = problem.logits, None, None
    # One pass over the logits where, as nearly always, all of them are finite and below 2^400.
    if not np.vdot(x, x) < 2.0**800:
        if not np.isfinite(x).all():
            x, masked, hopeless = _tame(problem)
        if not np.abs(x).max() < _HUGE:
            engine = "float64"
    kept = problem.kept.astype(np.float64)
    factor = kept
    if problem.weight is not None and not problem.soft:
        factor = problem.weight[problem.label] * kept
    denominator = _denominator(problem, factor)
    ask = Question(
        x,
        masked,
        None if problem.soft else problem.label,
        problem.probabilities if problem.soft else None,
        factor,
        kept,
        problem.weight,
        problem.label_smoothing,
        _scale(problem, kept, denominator),
    )
    answer = _answer(ask, engine, gradient)
    if hopeless is not None:
        _restore(ask, answer, hopeless)
    if problem.reduction == "none":
        loss = Pair(*map(problem.to_result, answer.loss))
    else:
        loss = _sum(answer.loss)
        if problem.reduction == "mean":
            loss = _quotient(loss, denominator)
        loss = Pair(np.asarray(loss.hi), np.asarray(loss.lo))
    slope = answer.gradient
    if slope is not None and problem.ignored.any():
        slope.hi[problem.ignored] = 0.0  # not -0
    return Solution(
        problem,
        engine,
        answer.loss,
        loss,
        None if slope is None else Pair(*map(problem.to_logits, slope)),
        float(denominator.hi),
        factor,
        SoftmaxRows(x, masked, hopeless, answer.maximum, answer.tail.hi, answer.log_sum.hi),
        ask,
    )


def _denominator(problem: Problem, factor: Float64) -> Pair:
    if problem.reduction != "mean":
        return dd.constant(1.0)
    if problem.weight is None or problem.soft:
        return dd.constant(float(factor.sum()))
    return _sum(Pair(factor, np.zeros(0)))


def _scale(problem: Problem, kept: Float64, denominator: Pair) -> Pair:
    """cotangent / denominator in kept rows, 0 in ignored ones."""
    cotangent = problem.cotangent
    if problem.reduction == "none":
        return Pair(cotangent * kept, np.zeros(len(kept)))
    scale = _quotient(Pair(cotangent, np.zeros(())), denominator)
    here = kept > 0
    return Pair(np.where(here, scale.hi, 0.0), np.where(here, scale.lo, 0.0))


def _quotient(a: Pair, b: Pair) -> Pair:
    quotient = dd.divide(a, b)
    if np.isfinite(quotient.hi):
        return quotient
    return Pair(a.hi / b.hi, np.zeros(()))  # 0/0, x/0, inf/x: as they are


def _sum(terms: Pair) -> Pair:
    """The sum of all rows, rounded to a pair."""
    numbers = [*terms.hi.tolist(), *terms.lo.tolist()]
    try:
        hi = math.fsum(numbers)
        return Pair(np.asarray(hi), np.asarray(math.fsum([*numbers, -hi])))
    except (OverflowError, ValueError):  # beyond the largest number, or both infinities
        return dd.constant(float(terms.hi.sum()))


def _answer(ask: Question, engine: str, gradient: bool) -> Answer:
    """The engine's answer, block of rows by block of rows."""
    work = engines.in_double_double if engine == "double-double" else engines.in_float64
    count, classes = ask.logits.shape
    if ask.logits.size <= _BLOCK:
        return work(ask, gradient)
    slope = None
    if gradient:
        lo = np.zeros if engine == "float64" else np.empty
        slope = Pair(np.empty(ask.logits.shape), lo(ask.logits.shape))
    answers = []
    for rows in row_blocks(count, classes, _BLOCK):
        out = None if slope is None else slope.at(rows)
        answers.append(work(ask.block(rows), gradient, out))
    return Answer(
        np.concatenate([a.maximum for a in answers]),
        _joined([a.tail for a in answers]),
        _joined([a.log_sum for a in answers]),
        _joined([a.loss for a in answers]),
        slope,
    )


def _joined(pairs: list[Pair]) -> Pair:
    return Pair(np.concatenate([p.hi for p in pairs]), np.concatenate([p.lo for p in pairs]))


def _tame(problem: Problem) -> tuple[Float64, NDArray[np.bool_], NDArray[np.bool_]]:
    """Finite logits, where they were -inf, and which kept rows are hopeless."""
    x = problem.logits
    finite = np.isfinite(x)
    masked = np.isneginf(x)
    hopeless = ((~finite & ~masked).any(1) | masked.all(1)) & problem.kept
    top = np.where(finite, x, -np.inf).max(1)
    top[hopeless | ~np.isfinite(top)] = 0.0
    x = np.where(finite & ~hopeless[:, None], x, top[:, None])
    masked &= ~hopeless[:, None]
    masked &= problem.kept[:, None]
    return x, masked, hopeless


def _restore(ask: Question, answer: Answer, hopeless: NDArray[np.bool_]) -> None:
    """Put infinities and NaN back, in place."""
    masked, weight, smoothing = ask.masked, ask.weight, ask.smoothing
    assert masked is not None
    inf = np.zeros(masked.shape)  # the log-probabilities, as far as they are infinite
    inf[masked] = np.inf
    classes = masked.shape[1]
    weights = np.ones(classes) if weight is None else weight
    if ask.probabilities is not None:
        c = ((1 - smoothing) * ask.probabilities + smoothing / classes) * weights
        extra = np.where(masked, c * inf, 0.0).sum(1)
    else:
        label_inf = inf[np.arange(len(masked)), ask.label]
        extra = np.where(label_inf > 0, (1 - smoothing) * ask.factor * label_inf, 0.0)
        if smoothing:
            extra += np.where(masked, weights * inf, 0.0).sum(1)
    extra[hopeless] = np.nan
    answer.loss.hi[:] += extra
    answer.loss.lo[~np.isfinite(answer.loss.hi)] = 0.0
    if answer.gradient is not None:
        answer.gradient.hi[hopeless] = np.nan
        answer.gradient.lo[hopeless] = 0.0
