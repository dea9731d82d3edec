"""Exhibits that remember: the answer depends on other calls, or on the other rows of the batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

from exhibits.calls import OrderOfTheDay


class OrderOfTheDayRecorded(OrderOfTheDay):
    """Losses are added in another order at every call, as atomic operations do."""

    fails = "repeatable-answer"
    link = "https://github.com/pytorch/pytorch/issues/17350"
    entries = ("RACE-03",)


class OrderByBatchSize(Faithful):
    """Large batches add up the classes in another order than small ones."""

    fails = "batch-invariance"

    def class_sum(self, terms: Array) -> Array:
        return super().class_sum(terms[:, ::-1].copy() if len(terms) > 8 else terms)


class WeightsOfTheLastCall(Faithful):
    """Weights, once given, hold until others of another length come."""

    fails = "no-state-between-calls"

    def __init__(self) -> None:
        self.weights: dict[int, Array] = {}

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        classes = logits.shape[self.class_axis(logits)]
        weight = options.get("weight")
        if weight is None:
            weight = self.weights.get(classes)
        else:
            self.weights[classes] = weight.copy()
        if weight is not None:
            options["weight"] = weight.astype(logits.dtype)
        return super().batch(logits, target, **options)


class WorkspaceNotZeroed(Faithful):
    """A workspace for the sums of the rows is zeroed when it is made, and not when it is shared
    with a call of another size."""

    fails = "no-state-between-calls"
    link = "https://github.com/pytorch/pytorch/issues/177116"
    entries = ("IDX-10",)
    dtype = "float64"

    def __init__(self) -> None:
        self.work = np.zeros((0, 1))
        self.size = 0

    def class_sum(self, terms: Array) -> Array:
        sums, rows = super().class_sum(terms), len(terms)
        if rows > len(self.work):
            self.work = np.zeros((rows, 1))
        left = self.work[:rows].copy() if rows != self.size else 0
        self.work[:rows], self.size = sums, rows
        return (sums + left).astype(sums.dtype)


class GradientInOneBuffer(Faithful):
    """Every gradient of a shape is a view of the same memory."""

    fails = "results-do-not-share-memory"
    dtype = "bfloat16"

    def __init__(self) -> None:
        self.buffers: dict[Any, Array] = {}

    def placed(self, rows: Array, like: Array) -> Array:
        right = super().placed(rows, like)
        buffer = self.buffers.setdefault((right.shape, right.dtype), right)
        buffer[...] = right
        return buffer


class KnownByItsAddress(Faithful):
    """The log-softmax is kept for the memory that the logits lie in, not for what they are."""

    fails = "reused-buffer"
    entries = ("SYN-14",)

    def __init__(self) -> None:
        self.known: Array | None = None
        self.log_p: Array | None = None

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        if self.known is not logits:
            self.known, self.log_p = logits, None
        return super().loss(logits, target, **options)

    def log_softmax(self, x: Array) -> Array:
        if self.log_p is None:
            self.log_p = super().log_softmax(x)
        return self.log_p
