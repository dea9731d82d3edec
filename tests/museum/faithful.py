"""A faithful cross-entropy in small steps, so that each exhibit of the museum changes one of them.

The steps work on rows: logits (M, C), target distributions (M, C), losses (M,).  A row's loss is
-sum_c k_c log p_c with k_c = w_c [(1 - e) q_c + e / C].  Half precision is computed in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance import implementation
from conformance.cases.case import OPTIONS
from conformance.contract.implementation import Implementation

Array = NDArray[Any]

DTYPES = ("float64", "float32", "float16", "bfloat16")


@dataclass
class Batch:
    """A question, as rows."""

    x: Array
    """Logits (M, C), widened."""
    q: Array
    """Target distributions (M, C), not yet smoothed; 0 in ignored rows."""
    labels: Array | None
    """(M,), as they were given; None where the target is probabilities."""
    kept: NDArray[np.bool_]
    """(M,): the rows that are not ignored."""
    w: Array
    """(C,)"""
    weighted: bool
    e: float
    ignore_index: int
    reduction: str
    logits: Array
    """As they were given."""

    @property
    def soft(self) -> bool:
        return self.labels is None

    @property
    def classes(self) -> int:
        return int(self.x.shape[1])


class Faithful:
    """Cross-entropy, its gradient and its stages: every option, right in every step."""

    fails = ""
    """The slug of the property that names an exhibit's fault."""
    link = ""
    """The real bug that an exhibit is modelled on; empty where no report is known."""
    entries: tuple[str, ...] = ()
    """The faults of the catalogue (codes.py) that an exhibit stands for."""
    dtype = "float32"
    """Where an exhibit is judged."""
    rare = False
    """Whether the fault fires rarely by nature, so that a seed may miss it."""
    spares: tuple[str, ...] = ()
    """Slugs of weaker levels, which the fault must not fail."""

    # -- the loss and its gradient ---------------------------------------------------------------

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        b = self.batch(logits, target, **options)
        losses = self.row_losses(b, self.coefficients(b), self.log_softmax(b.x))
        return self.finished(b, self.reduced(b, losses))

    def vjp(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        b = self.batch(logits, target, **options)
        g = self.row_cotangents(b, self.widened(cotangent))
        rows = self.row_gradients(b, self.gradient_coefficients(b), self.softmax(b.x), g)
        return self.placed(rows, logits)

    # -- the question ----------------------------------------------------------------------------

    def batch(
        self,
        logits: Array,
        target: Array,
        *,
        weight: Array | None = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        reduction: str = "mean",
        size_average: bool | None = None,
        reduce: bool | None = None,
    ) -> Batch:
        self.check_target(logits, target)
        x = self.widened(self.rows(logits))
        classes = x.shape[1]
        self.check_weight(weight, classes)
        self.check_smoothing(label_smoothing)
        self.check_reduction(reduction)
        if target.dtype.kind in "iu":
            labels = target.reshape(-1)
            kept = self.kept(labels, ignore_index)
            q = self.one_hot(labels, kept, classes).astype(x.dtype)
        else:
            labels, kept = None, np.ones(x.shape[0], bool)
            q = self.widened(self.rows(target))
        return Batch(
            x=x,
            q=q,
            labels=labels,
            kept=kept,
            w=np.ones(classes, x.dtype) if weight is None else self.widened(weight),
            weighted=weight is not None,
            e=label_smoothing,
            ignore_index=ignore_index,
            reduction=self.legacy(reduction, size_average, reduce),
            logits=logits,
        )

    def check_target(self, logits: Array, target: Array) -> None:
        axis = self.class_axis(logits)
        rows = logits.shape[:axis] + logits.shape[axis + 1 :]
        indices = target.dtype.kind in "iu"
        if target.shape != (rows if indices else logits.shape):
            raise ValueError(f"a {target.dtype} target {target.shape} for logits {logits.shape}")

    def check_weight(self, weight: Array | None, classes: int) -> None:
        if weight is not None and weight.shape != (classes,):
            raise ValueError(f"a weight {weight.shape} for {classes} classes")

    def check_smoothing(self, label_smoothing: float) -> None:
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"label_smoothing is {label_smoothing}")

    def check_reduction(self, reduction: str) -> None:
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"reduction is {reduction!r}")

    def legacy(self, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
        if size_average is None and reduce is None:
            return reduction
        if reduce is False:
            return "none"
        return "sum" if size_average is False else "mean"

    def class_axis(self, array: Array) -> int:
        return min(1, array.ndim - 1)

    def rows(self, array: Array) -> Array:
        axis = self.class_axis(array)
        return np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis])

    def widened(self, array: Array) -> Array:
        return array.astype(np.promote_types(array.dtype, np.float32))

    def kept(self, labels: Array, ignore_index: int) -> NDArray[np.bool_]:
        return labels != ignore_index

    def one_hot(self, labels: Array, kept: NDArray[np.bool_], classes: int) -> Array:
        if (kept & ((labels < 0) | (labels >= classes))).any():
            raise IndexError(f"a target is out of range: there are {classes} classes")
        return kept[:, None] & (labels[:, None] == np.arange(classes))

    def coefficients(self, b: Batch) -> Array:
        """k (M, C), 0 in ignored rows."""
        return np.where(b.kept[:, None], b.w * self.smoothed(b), b.x.dtype.type(0))

    def gradient_coefficients(self, b: Batch) -> Array:
        """The same, as the gradient has it."""
        return self.coefficients(b)

    def smoothed(self, b: Batch) -> Array:
        number = b.x.dtype.type
        return number(1 - b.e) * b.q + number(b.e / b.classes)

    # -- the numbers -----------------------------------------------------------------------------

    def shifted(self, x: Array) -> Array:
        return x - x.max(1, keepdims=True)

    def class_sum(self, terms: Array) -> Array:
        return terms.sum(1, keepdims=True)

    def log_softmax(self, x: Array) -> Array:
        d = self.shifted(x)
        return d - np.log(self.class_sum(np.exp(d)))

    def softmax(self, x: Array) -> Array:
        terms = np.exp(self.shifted(x))
        return terms / self.class_sum(terms)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return np.where(k == 0, 0, -k * log_p).sum(1)

    def divisor(self, b: Batch) -> Any:
        """What ``mean`` divides by."""
        if b.soft:
            return b.x.dtype.type(b.x.shape[0])
        return (b.w * b.q).sum()

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction == "none":
            return self.shaped(b, losses)
        total = losses.sum()
        return np.asarray(total / self.divisor(b) if b.reduction == "mean" else total)

    def shaped(self, b: Batch, losses: Array) -> Array:
        axis = self.class_axis(b.logits)
        return losses.reshape(b.logits.shape[:axis] + b.logits.shape[axis + 1 :])

    def finished(self, b: Batch, result: Array) -> Array:
        return result.astype(b.logits.dtype)

    # -- the gradient ----------------------------------------------------------------------------

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        """d<cotangent, result> / d losses: (M,), or () where all rows have the same."""
        if b.reduction == "none":
            return g.reshape(-1)
        return g / self.divisor(b) if b.reduction == "mean" else g

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        rows = g.reshape(-1, 1) * (p * k.sum(1, keepdims=True) - k)
        return np.where(b.kept[:, None], rows, 0)

    def placed(self, rows: Array, like: Array) -> Array:
        axis = self.class_axis(like)
        dims = (*like.shape[:axis], *like.shape[axis + 1 :], like.shape[axis])
        return np.moveaxis(rows.reshape(dims), -1, axis).astype(like.dtype)

    # -- derivatives beyond the gradient ---------------------------------------------------------

    def jvp(self, tangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        b = self.batch(logits, target, **options)
        v = self.widened(self.rows(tangent))
        along = self.row_derivatives(b, self.coefficients(b), self.softmax(b.x), v)
        return self.finished(b, self.reduced(b, along))

    def row_derivatives(self, b: Batch, k: Array, p: Array, v: Array) -> Array:
        rows = (k.sum(1, keepdims=True) * p - k) * v
        return np.where(b.kept, rows.sum(1), 0)

    def hvp(
        self, cotangent: Array, tangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array:
        b = self.batch(logits, target, **options)
        g, v = self.row_cotangents(b, self.widened(cotangent)), self.widened(self.rows(tangent))
        return self.placed(
            self.row_curvatures(b, self.coefficients(b), self.softmax(b.x), g, v), logits
        )

    def row_curvatures(self, b: Batch, k: Array, p: Array, g: Array, v: Array) -> Array:
        scale = g.reshape(-1, 1) * k.sum(1, keepdims=True)
        rows = scale * p * (v - (p * v).sum(1, keepdims=True))
        return np.where(b.kept[:, None], rows, 0)

    def target_vjp(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        b = self.batch(logits, target, **options)
        g = self.row_cotangents(b, self.widened(cotangent)).reshape(-1, 1)
        return self.placed(g * self.target_slopes(b, self.log_softmax(b.x)), logits)

    def target_slopes(self, b: Batch, log_p: Array) -> Array:
        return b.x.dtype.type(1 - b.e) * b.w * -log_p

    # -- the stages ------------------------------------------------------------------------------

    def softmax_stage(self, logits: Array) -> Array:
        return self.placed(self.softmax(self.widened(self.rows(logits))), logits)

    def softmax_stage_vjp(self, cotangent: Array, logits: Array) -> Array:
        p, g = (self.widened(self.rows(a)) for a in (self.softmax_stage(logits), cotangent))
        return self.placed(p * (g - (p * g).sum(1, keepdims=True)), logits)

    def log_softmax_stage(self, logits: Array) -> Array:
        return self.placed(self.log_softmax(self.widened(self.rows(logits))), logits)

    def log_softmax_stage_vjp(self, cotangent: Array, logits: Array) -> Array:
        g = self.widened(self.rows(cotangent))
        p = self.softmax(self.widened(self.rows(logits)))
        return self.placed(g - p * g.sum(1, keepdims=True), logits)

    def nll_stage(self, log_p: Array, target: Array, **options: Any) -> Array:
        b = self.batch(log_p, target, **options)
        return self.finished(b, self.reduced(b, self.row_losses(b, self.coefficients(b), b.x)))

    def nll_stage_vjp(self, cotangent: Array, log_p: Array, target: Array, **options: Any) -> Array:
        b = self.batch(log_p, target, **options)
        g = self.row_cotangents(b, self.widened(cotangent)).reshape(-1, 1)
        k = self.coefficients(b)
        return self.placed(np.where(k == 0, 0, -k * g), log_p)


def adapter(steps: Faithful, name: str) -> Implementation:
    """The implementation that computes by these steps."""
    f = implementation(
        name,
        dtypes=DTYPES,
        targets=("indices", "probabilities"),
        shapes=("batched", "unbatched", "spatial"),
        target_dtypes=("int64", "int32", "int16", "int8", "uint8"),
        options=OPTIONS,
        description=(type(steps).__doc__ or "").partition("\n")[0],
        links=(steps.link,) if steps.link else (),
    )(steps.loss)
    f.vjp(steps.vjp)
    f.jvp(steps.jvp)
    f.hvp(steps.hvp)
    f.target_vjp(steps.target_vjp)
    f.softmax(steps.softmax_stage).vjp(steps.softmax_stage_vjp)
    f.log_softmax(steps.log_softmax_stage).vjp(steps.log_softmax_stage_vjp)
    f.nll_loss(steps.nll_stage).vjp(steps.nll_stage_vjp)
    return f
