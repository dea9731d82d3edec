"""A Case: one question to a cross-entropy implementation, as data.

Cases are drawn once, asked, judged, stored bit-exactly when they fail, and replayed.  The arrays of
a case are contiguous; ``layout`` names the memory layout in which the implementation gets them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.layouts import lay_out

Array = NDArray[Any]

OPTIONS = ("weight", "ignore_index", "label_smoothing", "reduction", "size_average", "reduce")
"""The options of the loss, by the names of ``torch.nn.CrossEntropyLoss``."""


@dataclass(frozen=True, eq=False)
class Case:
    """One call ``cross_entropy(logits, target, **options)`` and the cotangent of its gradient.

    An option that is ``None`` is left out of the call: the implementation's default is tested.
    """

    logits: Array
    """(C,), (N, C) or (N, C, d1, .., dk), in the dtype under test."""
    target: Array
    """Class indices, (), (N,) or (N, d1, .., dk); or probabilities, shaped as the logits."""
    weight: Array | None = None
    """(C,), in the dtype of the logits."""
    ignore_index: int | None = None
    label_smoothing: float | None = None
    reduction: str | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    cotangent: Array | None = None
    """In the shape of the result and the dtype of the logits; ``None`` means ones."""
    layout: str = "contiguous"
    regime: str = "typical"

    @property
    def dtype(self) -> str:
        return self.logits.dtype.name

    @property
    def soft(self) -> bool:
        """Whether the target holds probabilities rather than class indices."""
        return self.target.dtype.kind not in "iub"

    @property
    def class_axis(self) -> int:
        return 0 if self.logits.ndim == 1 else 1

    @property
    def classes(self) -> int:
        return int(self.logits.shape[self.class_axis])

    @property
    def rows(self) -> int:
        """How many losses the batch holds: all positions but the class axis."""
        shape = self.logits.shape
        return int(np.prod(shape[: self.class_axis] + shape[self.class_axis + 1 :], dtype=np.int64))

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The shape of the loss: one a row for ``none`` (or not ``reduce``), else ()."""
        if self.reduction != "none" and self.reduce is not False:
            return ()
        shape = self.logits.shape
        return shape[: self.class_axis] + shape[self.class_axis + 1 :]

    @property
    def tangent(self) -> Array:
        """The direction in which derivatives are taken, shaped as the logits.

        It leads away from the target: 1 to 2 at every class, in sixteenths, which each format has,
        and the negative of that at a row's target or likeliest class.  So no loss stays as it is.
        """
        sixteenths = (np.arange(self.logits.size) * 7 % 17 + 16).reshape(self.logits.shape)
        axis = self.class_axis
        top = self.target.argmax(axis) if self.soft else self.target
        classes = np.arange(self.classes).reshape(-1, *[1] * (self.logits.ndim - axis - 1))
        at_top = np.expand_dims(top, axis) == classes
        return (np.where(at_top, -sixteenths, sixteenths) / 16).astype(self.logits.dtype)

    @property
    def options(self) -> dict[str, Any]:
        """The options that the call passes."""
        return {name: value for name in OPTIONS if (value := getattr(self, name)) is not None}

    @property
    def key(self) -> tuple[Any, ...]:
        """The content of the case, hashable: equal keys mean the same question in the same bits."""
        arrays = (self.logits, self.target, self.weight, self.cotangent)
        content = tuple(a if a is None else (a.dtype.num, a.shape, a.tobytes()) for a in arrays)
        scalars = tuple(getattr(self, name) for name in OPTIONS[1:])
        return (*content, *scalars, self.layout)

    def but(self, **changes: Any) -> Case:
        """This case with some fields changed."""
        return replace(self, **changes)

    def take(self, axis: int, index: Any) -> Case:
        """The part of this case along a batch axis of its logits (any but the class axis)."""
        # Class indices and cotangents have no class axis.
        along = axis if axis < self.class_axis else axis - 1
        cotangent = self.cotangent
        if cotangent is not None and cotangent.ndim:
            cotangent = part(cotangent, along, index)
        return self.but(
            logits=part(self.logits, axis, index),
            target=part(self.target, axis if self.soft else along, index),
            cotangent=cotangent,
        )

    def arguments(self) -> tuple[Array, Array, dict[str, Any]]:
        """Fresh ``(logits, target, options)`` in the case's memory layout, ready for one call."""
        options = self.options
        if self.weight is not None:
            options["weight"] = lay_out(self.weight, self.layout)
        return lay_out(self.logits, self.layout), lay_out(self.target, self.layout), options


def part(array: Array, axis: int, index: Any) -> Array:
    """The part of an array along one axis, contiguous."""
    return np.ascontiguousarray(array[(slice(None),) * axis + (index,)])
