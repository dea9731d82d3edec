"""Exhibits that remember: the answer depends on other calls, or on the other rows of the batch;
and those that leave a mark on the process."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
import tempfile
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


class KnownByItsBeginning(Faithful):
    """The log-softmax is kept for the first 1,024 bytes of the logits, and for their shape."""

    fails = "large-logits-are-read-to-their-end"

    def __init__(self) -> None:
        self.known: dict[Any, Array] = {}

    def log_softmax(self, x: Array) -> Array:
        beginning = (x.shape, x.dtype, x.tobytes()[:1024])
        right = super().log_softmax(x)
        return self.known.setdefault(beginning, right) if x.size > 2048 else right


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


class Silencer(Faithful):
    """Warnings about infinities are switched off, for whoever computes afterwards too."""

    fails = "global-state-untouched"

    def log_softmax(self, x: Array) -> Array:
        np.seterr(all="warn", divide="ignore")
        return super().log_softmax(x)


class Seeder(Faithful):
    """The gradient seeds NumPy's global generator, for reproducibility."""

    fails = "global-state-untouched"
    dtype = "float16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        np.random.seed(0)  # noqa: NPY002
        return super().row_gradients(b, k, p, g)


class Dice(Faithful):
    """A number is drawn from NumPy's global generator, and thrown away."""

    fails = "global-state-untouched"
    dtype = "float64"

    def finished(self, b: Batch, result: Array) -> Array:
        np.random.random()  # noqa: NPY002
        return super().finished(b, result)


class MovesAway(Faithful):
    """The working directory becomes that of a scratch file."""

    fails = "global-state-untouched"

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        os.chdir(tempfile.gettempdir())
        return super().loss(logits, target, **options)


class Configures(Faithful):
    """A variable of the environment is set at every call."""

    fails = "global-state-untouched"
    dtype = "bfloat16"

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        os.environ["FAITHFUL_THREADS"] = "1"
        return super().loss(logits, target, **options)


class DeepRecursion(Faithful):
    """The recursion limit grows with every call."""

    fails = "global-state-untouched"

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        sys.setrecursionlimit(sys.getrecursionlimit() + 1)
        return super().loss(logits, target, **options)


class RoundsUpward(Faithful):
    """The rounding mode is changed for the sum over the rows, and not changed back."""

    fails = "global-state-untouched"
    dtype = "float64"

    def reduced(self, b: Batch, losses: Array) -> Array:
        result = super().reduced(b, losses)
        library = ctypes.CDLL(ctypes.util.find_library("m"))
        library.fesetround(0x800 if os.uname().machine == "x86_64" else 1 << 22)
        return result
