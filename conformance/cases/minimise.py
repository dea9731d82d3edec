"""The smallest case that still fails.

Cases are made from seeds, which do not shrink element by element; so a failing case is made smaller
itself: fewer rows, fewer classes, fewer options, plainer numbers, one change at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case, part

Array = NDArray[Any]


def minimise(
    case: Case, fails: Callable[[Case], bool], *, attempts: int = 200, seconds: float = 1.0
) -> Case:
    """The smallest case found that still fails in the same way.

    Args:
        case: a case that fails.
        fails: whether a case fails as the first one did.
        attempts: how many cases may be tried.
        seconds: how long it may take.
    """
    deadline = monotonic() + seconds
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(case):
            if attempts <= 0 or monotonic() > deadline:
                return case
            attempts -= 1
            if fails(smaller):
                case, improved = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with one thing less, the largest steps first."""
    yield from _fewer_rows(case)
    yield from _fewer_classes(case)
    yield from _fewer_options(case)
    yield from _plainer_numbers(case)


def _fewer_rows(case: Case) -> Iterator[Case]:
    if case.class_axis == 0:
        return
    if case.logits.ndim > 2:
        for axis in range(2, case.logits.ndim):  # one position of a spatial axis
            if case.logits.shape[axis] > 1:
                yield case.take(axis, slice(0, 1))
    batch = case.logits.shape[0]
    if batch < 2:
        return
    for half in (slice(0, batch // 2), slice(batch // 2, batch)):
        yield case.take(0, half)
    if batch <= 12:
        for row in range(batch):
            yield case.take(0, [k for k in range(batch) if k != row])


def _fewer_classes(case: Case) -> Iterator[Case]:
    classes, axis = case.classes, case.class_axis
    if classes < 2:
        return
    halves = (slice(0, (classes + 1) // 2), slice(classes // 2, classes))
    drops = range(classes if classes <= 12 else 0)
    singles = [[k for k in range(classes) if k != drop] for drop in drops]
    index: Any
    for index in (*halves, *singles):
        survivors = np.arange(classes)[index]
        target = case.target
        if case.soft:
            target = part(case.target, axis, index)
        else:
            place = np.full(classes, -1)
            place[survivors] = np.arange(survivors.size)
            used = target[(target >= 0) & (target < classes)]
            if (place[used] < 0).any() or _in_range(case.ignore_index, classes):
                continue  # a class that a target names stays
            inside = (target >= 0) & (target < classes)
            target = np.where(inside, place[np.where(inside, target, 0)], target)
            target = target.astype(case.target.dtype)
        yield replace(
            case,
            logits=part(case.logits, axis, index),
            target=target,
            weight=None if case.weight is None else np.ascontiguousarray(case.weight[index]),
        )


def _in_range(ignore_index: int | None, classes: int) -> bool:
    return ignore_index is not None and 0 <= ignore_index < classes


def _fewer_options(case: Case) -> Iterator[Case]:
    if case.layout != "contiguous":
        yield replace(case, layout="contiguous")
    if case.weight is not None:
        yield replace(case, weight=None)
        yield replace(case, weight=np.ones_like(case.weight))
    if case.label_smoothing is not None:
        yield replace(case, label_smoothing=None)
        if case.label_smoothing not in (0.5, 1.0):
            yield replace(case, label_smoothing=0.5)
    if case.ignore_index is not None:
        ignored = case.target == case.ignore_index
        if not ignored.any():
            yield replace(case, ignore_index=None)
        elif case.target.dtype.kind == "i":  # the default index, which is no class
            target = np.where(ignored, -100, case.target).astype(case.target.dtype)
            yield replace(case, ignore_index=None, target=target)
    if case.cotangent is not None and (case.cotangent != 1).any():
        yield replace(case, cotangent=np.ones_like(case.cotangent))


def _plainer_numbers(case: Case) -> Iterator[Case]:
    if case.logits.astype(np.float64).any():
        yield replace(case, logits=np.zeros_like(case.logits))
    yield from (replace(case, logits=x) for x in _plainer(case.logits))
    if case.weight is not None:
        yield from (replace(case, weight=w) for w in _plainer(case.weight))
    if case.soft:
        yield from (replace(case, target=q) for q in _plainer(case.target))


def _plainer(values: Array) -> Iterator[Array]:
    """Rounded to fewer digits, all at once or one by one, or set to zero."""
    numbers = values.astype(np.float64)
    small = np.abs(numbers) < 2.0**52  # larger ones are whole already, and scaling may overflow
    for digits in (0, 1, 2):
        rounded = np.where(small, np.round(np.where(small, numbers, 0), digits), numbers)
        if (rounded != numbers).any() and np.isfinite(numbers).any():
            yield rounded.astype(values.dtype)
    if values.size > 24:
        return
    for place in np.ndindex(values.shape):
        for plain in (0.0, float(np.round(numbers[place]))):
            if np.isfinite(numbers[place]) and numbers[place] != plain:
                if plain and numbers[place] == np.round(numbers[place]):
                    continue
                changed = values.copy()
                changed[place] = plain
                yield changed
