"""The power test: a comparison that cannot reject proves nothing.

Spoiled copies of what the implementation returned go to the same comparison.  In the regimes that a
property declares as its strong ones, at least 90 % of them must be rejected, else the cell is
vacuous, which is a fault of the suite and not of the implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from conformance.cases.case import Case
from conformance.properties.asking import Answer, Array, Recorder, Remembered
from conformance.properties.property import Property
from conformance.properties.trial import Trial, Violation
from conformance.properties.truth import Truth, reduction_of
from conformance.spec.formats import FORMATS

REQUIRED = 0.9
"""The share of spoiled answers that must be rejected in the strong regimes."""


def spoiled_and_rejected(
    prop: Property, case: Case, live: Recorder, label: str | None, truth: Truth
) -> tuple[int, int]:
    """How many spoiled copies of the answers were made, and how many of them were rejected."""
    made = rejected = 0
    answers = live.answers
    for index in sorted({0, len(answers) - 1}):
        _, asked = live.asked[index]
        for spoiled in _spoils(prop, answers[index], case, is_zero=asked.classes < 2):
            made += 1
            replayed = [*answers[:index], Answer(spoiled), *answers[index + 1 :]]
            rejected += _rejects(prop, case, replayed, label, truth)
    return made, rejected


def is_sharp(prop: Property, case: Case, truth: Truth) -> bool:
    """Whether the power test counts on a case: a strong regime, a decided answer, no cancellation.

    A mean over nothing is a choice point, weights of both signs cancel in sums over rows or
    classes, a weight of 0 hides there what the regime is about, and one class alone has the loss 0
    however large its logit, whose rounding the bound rightly admits.
    """
    summed = reduction_of(case) != "none" or case.soft or bool(case.label_smoothing)
    cancels = summed and case.weight is not None and bool((case.weight <= 0).any())
    if cancels or case.classes < 2 or case.regime not in prop.strong:
        return False
    return prop.level == "behaviour" or bool(np.isfinite(truth.loss_bound(case)).all())


def _rejects(
    prop: Property, case: Case, answers: Sequence[Answer], label: str | None, truth: Truth
) -> bool:
    try:
        return prop.body(case, Trial(Remembered(answers), truth)) != label
    except (Violation, StopIteration):
        # Out of answers: the spoiled one led the property to ask on, past what passed before.
        return True


def _spoils(prop: Property, answer: Answer, case: Case, *, is_zero: bool) -> Iterator[Array]:
    """Spoiled copies of an answer, in what the property compares.

    ``is_zero``: the right answer is 0, as for one class, whatever rounding made of it.
    """
    value = answer.value
    if value is None:  # it refused: what if it had returned a loss that looks valid?
        yield np.zeros(case.result_shape, case.logits.dtype)
    elif prop.level == "behaviour" and not value.size:  # no number: what if there had been one?
        yield np.zeros(case.result_shape, value.dtype)
    elif prop.about == "shape":
        yield value[..., None]
        if value.size == 1:
            yield value.reshape(() if value.ndim else (1,))
        elif value.ndim:
            yield value.sum(keepdims=False)
    elif prop.about == "dtype":
        yield value.astype(np.float32 if value.dtype == np.float64 else np.float64)
    elif prop.about == "special":
        yield from _other_specials(value)
    elif prop.about == "refusal":  # the wrong question gets a number, or the right one none
        finite = np.isfinite(value.astype(np.float64))
        yield np.where(finite, np.nan if finite.all() else value, 1).astype(value.dtype)
    else:
        yield from _other_values(
            value, _step(value, case), labelled=prop.level == "behaviour", is_zero=is_zero
        )


def _other_values(value: Array, step: float, *, labelled: bool, is_zero: bool) -> Iterator[Array]:
    """Zeroed, scaled, sign flipped, rows swapped: each where it differs from the answer.

    Where the answer is 0, or should be: ones.  A label names what an answer is, not how large: 0
    for what is not 0, and 1 for what is.
    """
    if is_zero and not labelled:
        yield np.ones_like(value)
        return
    if labelled or not np.any(value.astype(np.float64)):
        if value.size:
            yield (value == 0).astype(value.dtype)
        return
    spoils = [np.zeros_like(value), _scaled(value, step), _negated(value)]
    if value.ndim and value.shape[0] > 1:
        spoils.append(value[::-1])
    for spoiled in spoils:
        if _differs(spoiled, value, step):
            yield spoiled


def _other_specials(value: Array) -> Iterator[Array]:
    """NaN and infinities made finite, exchanged for one another; a finite number made NaN, inf."""
    finite = np.isfinite(value.astype(np.float64))
    if not finite.all():
        nan = np.isnan(value.astype(np.float64))
        for here, there in ((1, 1), (np.inf, np.nan), (-np.inf, 0)):
            spoils = np.where(nan, here, np.where(finite, value, there))
            yield spoils.astype(value.dtype)
    if finite.any():
        first = np.flatnonzero(finite)[0]
        for special in (np.nan, np.inf):
            spoiled = value.copy()
            spoiled.flat[first] = special
            yield spoiled


def _step(value: Array, case: Case) -> float:
    """The size of a spoil, relative: 1 %, or 256 u where that is more.

    u is that of the answer or of the logits, the larger one: a float32 loss of bfloat16 logits may
    be as inaccurate as they are.

    That is 12.5 % in float16 and twice the value in bfloat16: the widest class of sane arithmetic
    may be off by some tens of u at ten classes, on either side of a comparison of two computed
    values; 1 % in bfloat16 (u = 0.4 %) is a handful of roundings.
    """
    if value.dtype.name not in FORMATS:
        return 0.0
    formats = FORMATS[value.dtype.name], FORMATS[case.dtype]
    return max(0.01, *(256 * fmt.unit_roundoff for fmt in formats))


def _scaled(value: Array, step: float) -> Array:
    if value.dtype.name not in FORMATS:
        return value + np.ones_like(value)
    with np.errstate(over="ignore"):
        scaled: Array = (value.astype(np.float64) * (1 + step)).astype(value.dtype)
    return scaled


def _negated(value: Array) -> Array:
    if value.dtype.kind in "ub":
        return ~value
    negated: Array = -value
    return negated


def _differs(spoiled: Array, value: Array, step: float) -> bool:
    """Whether a spoil is one: somewhere it is off by the step, relative to the largest number."""
    x, y = spoiled.astype(np.float64), value.astype(np.float64)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(invalid="ignore", over="ignore"):
        small = np.abs(x - y) < 0.9 * step * np.max(np.abs(y), initial=0.0)
    return not bool(np.all(same | small))
