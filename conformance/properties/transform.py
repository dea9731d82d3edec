"""Exact transformations of cases, for properties that compare two questions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.properties.truth import reduction_of

Array = NDArray[Any]
Index = NDArray[np.int64] | NDArray[np.bool_]


def ignore_index_of(case: Case) -> int:
    return -100 if case.ignore_index is None else case.ignore_index


def rows_of(array: Array, class_axis: int) -> Array:
    """(C,), (N, C) or (N, C, d1, ..) as rows (M, C)."""
    moved = np.moveaxis(array, class_axis, -1)
    return np.ascontiguousarray(moved.reshape(-1, array.shape[class_axis]))


def flattened(case: Case) -> Case:
    """The case as plain rows: logits (M, C), target (M,) or (M, C)."""
    target = rows_of(case.target, case.class_axis) if case.soft else case.target.reshape(-1)
    cotangent = case.cotangent
    if cotangent is not None and reduction_of(case) == "none":
        cotangent = cotangent.reshape(-1)
    return case.but(
        logits=rows_of(case.logits, case.class_axis), target=target, cotangent=cotangent
    )


def kept(case: Case) -> NDArray[np.bool_]:
    """Which rows are not ignored: (M,)."""
    if case.soft:
        return np.ones(case.rows, bool)
    mask: NDArray[np.bool_] = case.target.reshape(-1) != ignore_index_of(case)
    return mask


def take_rows(case: Case, index: Index) -> Case:
    """The flattened case with only (or in another order) the given rows."""
    flat = flattened(case)
    cotangent = flat.cotangent
    if cotangent is not None and cotangent.ndim:
        cotangent = cotangent[index]
    return flat.but(logits=flat.logits[index], target=flat.target[index], cotangent=cotangent)


def permute_classes(case: Case, order: NDArray[np.int64]) -> Case:
    """Class ``order[k]`` becomes class k, everywhere: logits, weight, target."""
    axis = case.class_axis
    place = np.argsort(order)
    if case.soft:
        target = np.ascontiguousarray(np.take(case.target, order, axis))
    else:
        valid = (case.target >= 0) & (case.target < case.classes)
        valid &= case.target != ignore_index_of(case)
        moved = place[np.where(valid, case.target, 0)]
        target = np.where(valid, moved, case.target).astype(case.target.dtype)
        if case.ignore_index is not None and 0 <= case.ignore_index < case.classes:
            # An ignored class is a class: its number moves with it.
            target[~valid] = place[case.ignore_index]
    ignore_index = case.ignore_index
    if ignore_index is not None and 0 <= ignore_index < case.classes:
        ignore_index = int(place[ignore_index])
    return case.but(
        logits=np.ascontiguousarray(np.take(case.logits, order, axis)),
        target=target,
        weight=None if case.weight is None else case.weight[order],
        ignore_index=ignore_index,
    )


def one_hot(case: Case) -> Case:
    """Class indices as probabilities; ignored rows must not be there."""
    flat = flattened(case)
    probabilities = np.zeros(flat.logits.shape, flat.logits.dtype)
    probabilities[np.arange(flat.rows), flat.target] = 1
    return flat.but(target=probabilities, ignore_index=None)


def rng_of(case: Case) -> np.random.Generator:
    """Random numbers that are a function of the case: the same in every replay of it."""
    entropy = np.frombuffer(case.logits.tobytes()[:64].ljust(64, b"\0"), np.uint32)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy.tolist())))


def exact_shift(case: Case) -> Case | None:
    """The case with the same number subtracted from all logits without any rounding.

    The number is the logit farthest from 0, so that a common offset goes away.  None where the
    subtraction would round, or would change nothing.
    """
    x = case.logits.astype(np.float64)
    if not np.isfinite(x).all() or not x.any():
        return None
    shift = x.flat[np.argmax(np.abs(x))]
    moved = (x - shift).astype(case.logits.dtype)
    back = moved.astype(np.float64) + shift
    return case.but(logits=moved) if np.array_equal(back, x) else None
