"""Exact transformations of cases, for properties that compare two questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case, part
from conformance.properties.truth import reduction_of
from conformance.spec.formats import format_of

Array = NDArray[Any]
Index = NDArray[np.int64] | NDArray[np.bool_]


def ignore_index_of(case: Case) -> int:
    return -100 if case.ignore_index is None else case.ignore_index


def rows_of(array: Array, class_axis: int) -> Array:
    """(C,), (N, C) or (N, C, d1, ..) as rows (M, C)."""
    moved = np.moveaxis(array, class_axis, -1)
    return np.ascontiguousarray(moved.reshape(-1, array.shape[class_axis]))


def shaped_as(rows: Array, case: Case) -> Array:
    """Rows (M, C) in the shape of the case's logits."""
    axis = case.class_axis
    dims = (*case.logits.shape[:axis], *case.logits.shape[axis + 1 :], case.classes)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(dims), -1, axis))


def calm(case: Case) -> Case:
    """The case with no logit beyond 3: no dtype overflows or underflows, however it is computed.

    For questions about something else than accuracy, which has names of its own.
    """
    return case.but(logits=np.clip(case.logits, -3, 3).astype(case.logits.dtype))


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


def other_targets(case: Case) -> Case:
    """Class indices: every row that is not ignored asks for another class, if there is one."""
    ignored = ignore_index_of(case)
    other = (case.target + 1) % case.classes
    other = np.where(other == ignored, (other + 1) % case.classes, other)
    target = np.where(case.target == ignored, case.target, other)
    return case.but(target=target.astype(case.target.dtype))


def one_hot(case: Case) -> Case:
    """Class indices as probabilities; ignored rows must not be there."""
    flat = flattened(case)
    probabilities = np.zeros(flat.logits.shape, flat.logits.dtype)
    probabilities[np.arange(flat.rows), flat.target] = 1
    return flat.but(target=probabilities, ignore_index=None)


def alone(case: Case) -> Case:
    """The first row of a case, as a batch of one: (1, C) or (1, C, 1, .., 1)."""
    for axis in batch_axes(case):
        case = case.take(axis, slice(0, 1))
    return case


def without_rows(case: Case) -> Case:
    """The case with nothing along one of its batch axes: (0, C), (N, C, 0), (N, C, d1, 0), ..."""
    return case.take(int(rng_of(case).choice(batch_axes(case))), slice(0, 0))


def as_volumes(case: Case) -> Case:
    """The rows of a case, again and again until there are 48: logits (2, C, 2, 3, 4)."""
    dims = (2, 2, 3, 4)
    rows = take_rows(case, np.arange(np.prod(dims)) % case.rows)

    def placed(array: Array) -> Array:
        shaped = array.reshape(*dims, *array.shape[1:])
        return np.ascontiguousarray(np.moveaxis(shaped, -1, 1) if array.ndim > 1 else shaped)

    cotangent = rows.cotangent
    if cotangent is not None and cotangent.ndim:
        cotangent = placed(cotangent)
    return rows.but(logits=placed(rows.logits), target=placed(rows.target), cotangent=cotangent)


def batch_axes(case: Case) -> list[int]:
    """The axes of the logits but that of the classes."""
    return [axis for axis in range(case.logits.ndim) if axis != case.class_axis]


def first_class(case: Case) -> Case:
    """The case with its first class alone, which every row that is not ignored then asks for."""
    axis = case.class_axis
    if case.soft:
        target = np.ones_like(part(case.target, axis, slice(0, 1)))
    else:
        dropped = case.target == ignore_index_of(case)
        target = np.where(dropped, case.target, 0).astype(case.target.dtype)
    return case.but(
        logits=part(case.logits, axis, slice(0, 1)),
        target=target,
        weight=None if case.weight is None else case.weight[:1],
    )


def rising_target(case: Case, heights: Sequence[float]) -> Case:
    """The first row of a case again and again, its target above the other classes by each height.

    The target's logit is 0 everywhere, and the others lie below (or above) it: no offset costs
    accuracy.
    """
    flat = flattened(case)
    label = int(flat.target[0])
    x = flat.logits[0].astype(np.float64)
    rows = x - np.delete(x, label).max() - np.asarray(heights)[:, None]
    rows[:, label] = 0
    labels = np.full(len(heights), label, flat.target.dtype)
    return flat.but(logits=rows.astype(flat.logits.dtype), target=labels, cotangent=None)


def coarse(case: Case) -> Case:
    """Logits on a coarse grid: adding a constant of their size, or the mean of two, is exact."""
    x = case.logits.astype(np.float64)
    scale = np.max(np.abs(x), initial=0.0)
    if not np.isfinite(scale) or scale == 0:
        return case
    bits = {"float64": 40, "float32": 16, "float16": 7, "bfloat16": 5}[case.dtype]
    grid = max(
        2.0 ** (np.floor(np.log2(scale)) + 1 - bits),
        2 * format_of(case.logits.dtype).smallest_subnormal,
    )
    return case.but(logits=(np.rint(x / grid) * grid).astype(case.logits.dtype))


def in_two(values: Array, axis: int = 0) -> tuple[Array, Array]:
    """Two arrays a, b with ``values`` = a / 2 + b, exactly; b is at least half of ``values``.

    Every second class is only in b, the others are half in each: no part is a multiple of another.
    """
    shape = [1] * values.ndim
    shape[axis] = -1
    even = (np.arange(values.shape[axis]) % 2 == 0).reshape(shape)
    number = values.dtype.type
    half = values * number(0.5)
    half = np.maximum(half, values - half)  # halves of subnormals round
    rest = np.where(even, half, values)
    return (values - rest) * number(2), rest


def normalised(case: Case) -> Case:
    """The case with probabilities of which each row sums to 1; with class indices, as it is.

    They are multiples of 1/64, so that they sum to 1 exactly in every format.  The largest of each
    row takes what rounding down the others has left: all, where all are 0.
    """
    if not case.soft:
        return case
    q = rows_of(case.target, case.class_axis).astype(np.float64)
    largest = q.argmax(-1)[..., None]
    total = q.sum(-1, keepdims=True)
    shares = np.floor(64 * q / np.where(total == 0, 1, total))
    np.put_along_axis(shares, largest, 0, -1)
    np.put_along_axis(shares, largest, 64 - shares.sum(-1, keepdims=True), -1)
    return case.but(target=shaped_as((shares / 64).astype(case.target.dtype), case))


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
