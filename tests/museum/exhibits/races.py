"""Exhibits that give other answers at other times."""

from __future__ import annotations

from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful


class Racing(Faithful):
    """Steps that happen now in one order and now in another."""

    def __init__(self) -> None:
        self.rng = np.random.Generator(np.random.Philox(0))

    def hit(self, rows: int, share: float = 0.5) -> Any:
        """The rows (M, 1) that lose the race this time."""
        return self.rng.random((rows, 1)) < share


class ScaledBeforeTheSubtraction(Racing):
    """No barrier: some rows are scaled before their target is subtracted, g p - 1."""

    fails = "gradient-formula"
    link = "https://github.com/PaddlePaddle/Paddle/issues/9119"
    entries = ("RACE-01",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        early = g.reshape(-1, 1) * p * k.sum(1, keepdims=True) - k
        return np.where(
            self.hit(len(p)) & b.kept[:, None], early, super().row_gradients(b, k, p, g)
        )


class LastBlockNotWaitedFor(Racing):
    """Of more than 1000 classes the last 32 are sometimes not yet in the sum."""

    fails = "class-counts-around-tiles"
    link = "https://github.com/PaddlePaddle/Paddle/pull/21480"
    entries = ("RACE-02",)

    def class_sum(self, terms: Array) -> Array:
        right = super().class_sum(terms)
        if terms.shape[1] <= 1000:
            return right
        return np.where(self.hit(len(terms)), super().class_sum(terms[:, :-32]), right)


class OneSumInAThousand(Racing):
    """One sum over the classes in a thousand has only half of its terms: too rare for every seed
    to meet it.
    """

    fails = "repeatable"
    link = "https://github.com/NervanaSystems/neon/issues/171"
    entries = ("RACE-04",)
    rare = True

    def class_sum(self, terms: Array) -> Array:
        half = super().class_sum(terms[:, : (terms.shape[1] + 1) // 2])
        return np.where(self.hit(len(terms), 1e-3), half, super().class_sum(terms))


class PartialSumZeroedTooLate(Racing):
    """The gradient's sum over a row is zeroed after another warp has added its half."""

    fails = "gradient-formula"
    link = "https://github.com/karpathy/llm.c/pull/847"
    entries = ("RACE-05",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        half = p.shape[1] // 2
        late = k.copy()
        late[:, :half] = 0
        q = np.where(self.hit(len(p)), late, k).sum(1, keepdims=True)
        return np.where(b.kept[:, None], g.reshape(-1, 1) * (p * q - k), 0)


class DividedByTheSumSoFar(Faithful):
    """A fence is no barrier: each block of classes is divided by what the blocks before have."""

    fails = "gradient-formula"
    link = "https://github.com/xlite-dev/LeetCUDA/issues/251"
    entries = ("RACE-06",)

    def softmax(self, x: Array) -> Array:
        terms = np.exp(self.shifted(x))
        return terms / np.cumsum(terms, axis=1)
