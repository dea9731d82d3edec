"""A question about a cross-entropy in the spec's own terms: rows of logits, whatever their layout.

The class axis is 1, or 0 for unbatched logits (torch.nn.CrossEntropyLoss, section "Shape"); every
other position is a row.  Values are the exact float64 images of the dtype under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from conformance.errors import UsageError
from conformance.spec.formats import FloatFormat, format_of

Float64 = NDArray[np.float64]
REDUCTIONS = ("none", "mean", "sum")


@dataclass(frozen=True, eq=False)
class Problem:
    """Logits, target and options, flattened to M rows and C classes.  Made by `make_problem`."""

    logits: Float64
    """(M, C): the positions of the logits in C order of (N, d1, .., dk)."""
    target: NDArray[np.int64] | Float64
    """(M,) class indices, or (M, C) probabilities (which need not sum to one)."""
    weight: Float64 | None
    """(C,), of any sign."""
    ignore_index: int
    label_smoothing: float
    reduction: str
    """none | mean | sum"""
    cotangent: Float64
    """(M,) for none, () otherwise: the gradient asked for is that of <cotangent, loss>."""
    shape: tuple[int, ...]
    """Of the logits as asked: (C,), (N, C) or (N, C, d1, .., dk)."""
    format: FloatFormat
    """Of the logits, and so of the arithmetic under test."""

    @property
    def soft(self) -> bool:
        """Whether the target is probabilities."""
        return self.target.ndim == 2

    @property
    def one_class(self) -> bool:
        """Whether a row's loss depends on the log-probability of its target class alone."""
        return not self.label_smoothing and self.target.ndim == 1

    @property
    def probabilities(self) -> Float64:
        """(M, C): a soft target."""
        return cast(Float64, self.target)

    @cached_property
    def label(self) -> NDArray[np.int64]:
        """(M,): the class indices of a hard target, 0 where ignored."""
        return cast(NDArray[np.int64], self.target * self.kept)

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """(M,): the rows that are not ignored.  Probabilities are never ignored."""
        if self.soft:
            return np.ones(len(self.target), bool)
        return cast(NDArray[np.bool_], self.target != self.ignore_index)

    @cached_property
    def ignored(self) -> NDArray[np.bool_]:
        """(M,): the other rows."""
        return ~self.kept

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The shape of the loss."""
        if self.reduction != "none":
            return ()
        return (*self.shape[:1], *self.shape[2:]) if len(self.shape) > 1 else ()

    def to_result(self, rows: Float64) -> Float64:
        """(M,) values as an array of the unreduced result's shape."""
        return rows.reshape(self.result_shape)

    def to_logits(self, rows: Float64) -> Float64:
        """(M, C) values as an array of the logits' shape."""
        if len(self.shape) <= 2:
            return rows.reshape(self.shape)
        batch, classes, *positions = self.shape
        return np.moveaxis(rows.reshape(batch, *positions, classes), -1, 1)

    def to_rows(self, values: Float64) -> Float64:
        """The way back from `to_logits`."""
        if len(self.shape) > 2:
            values = np.moveaxis(values, 1, -1)
        return values.reshape(self.logits.shape)


def make_problem(
    logits: NDArray[Any],
    target: NDArray[Any],
    *,
    weight: NDArray[Any] | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    cotangent: NDArray[Any] | None = None,
) -> Problem:
    """State a problem from arrays in the dtype under test; a missing cotangent means ones.

    logits: (C,), (N, C) or (N, C, d1, .., dk), of one of the four formats.
    target: integers of the logits' shape without the class axis, or floats of the logits' shape.
    weight: (C,).  cotangent: of the result's shape.  Weight, probabilities and cotangent are
    finite; logits may be anything.  Raises `UsageError` where a shape, a reduction, a class index
    of a kept row or the smoothing is out of range: the spec has no answer to such a question.
    """
    shape = logits.shape
    fmt = format_of(logits.dtype)
    axis = 1 if len(shape) > 1 else 0
    _require(len(shape) > 0 and shape[axis] > 0, "logits of shape", shape, "have no classes")
    classes = shape[axis]
    positions = shape[:axis] + shape[axis + 1 :]
    rows = _rows(logits, classes)

    answer: NDArray[np.int64] | Float64
    if target.dtype.kind in "iub":
        _require(target.shape == positions, "class indices have shape", target.shape, positions)
        answer = target.astype(np.int64).reshape(-1)
        # As unsigned numbers, negative indices are beyond every class.
        outside = (answer.view(np.uint64) >= classes) & (answer != ignore_index)
        _require(not outside.any(), "class indices must be in", f"[0, {classes})", "where kept")
    else:
        _require(target.shape == shape, "probabilities have shape", target.shape, shape)
        answer = _rows(target, classes)
        _require(_finite(answer), "probabilities", "must be", "finite")

    if weight is not None:
        _require(weight.shape == (classes,), "weight has shape", weight.shape, (classes,))
        weight = weight.astype(np.float64)
        _require(_finite(weight), "weight", "must be", "finite")
    _require(reduction in REDUCTIONS, "reduction is", reduction, REDUCTIONS)
    _require(0 <= label_smoothing <= 1, "label_smoothing is", label_smoothing, "[0, 1]")
    result = positions if reduction == "none" else ()
    if cotangent is None:
        ones = np.ones(len(rows) if reduction == "none" else ())
    else:
        _require(cotangent.shape == result, "cotangent has shape", cotangent.shape, result)
        ones = cotangent.astype(np.float64).reshape(-1 if reduction == "none" else ())
        _require(_finite(ones), "cotangent", "must be", "finite")
    return Problem(rows, answer, weight, ignore_index, label_smoothing, reduction, ones, shape, fmt)


def _rows(array: NDArray[Any], classes: int) -> Float64:
    """A float64 copy as rows (M, C): later changes of the caller's array do not matter."""
    copy = array.astype(np.float64)
    if copy.ndim > 2:
        copy = np.ascontiguousarray(np.moveaxis(copy, 1, -1))
    return copy.reshape(-1, classes) if copy.size else copy.reshape(0, classes)


def _finite(values: Float64) -> bool:
    return bool(np.isfinite(values).all())


def _require(holds: bool, what: str, got: object, wanted: object) -> None:
    if not holds:
        raise UsageError(f"not a problem of cross-entropy: {what} {got}, wanted: {wanted}")
