"""What can be said of a case: the closed list of features that a region of known failures uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.errors import UsageError
from conformance.properties.transform import kept, rows_of
from conformance.properties.truth import Truth, reduction_of


def features(case: Case, truth: Truth, device: str) -> dict[str, Any]:
    """The features of a case, by the names that known-failures files use."""
    logits = case.logits.astype(np.float64)
    finite = logits[np.isfinite(logits)]
    largest = _largest_loss(case, truth)
    return {
        "dtype": case.dtype,
        "device": device,
        "reduction": reduction_of(case),
        "target": "probabilities" if case.soft else "indices",
        "layout": case.layout,
        "regime": case.regime,
        "weight": case.weight is not None,
        "ignore_index": case.ignore_index,
        "label_smoothing": case.label_smoothing,
        "size_average": case.size_average,
        "reduce": case.reduce,
        "C": case.classes,
        "rows": case.rows,
        "kept_rows": int(kept(case).sum()),
        "ignored_rows": int((~kept(case)).sum()),
        "target_sum_error": _largest_sum_error(case),
        "ndim": case.logits.ndim,
        "max_abs_logit": float(np.abs(finite).max()) if finite.size else None,
        "max_gap": _largest_gap(rows_of(logits, case.class_axis)),
        "max_loss": largest,
        "min_p_target": None if largest is None else float(np.exp(-largest)),
        "has_inf": bool(np.isinf(logits).any()),
        "has_nan": bool(np.isnan(logits).any()),
    }


def _largest_gap(rows: NDArray[np.float64]) -> float | None:
    """The largest difference of two logits of one row, infinite beside -inf; None without any."""
    rows = rows[~np.isnan(rows).any(axis=1)]
    with np.errstate(invalid="ignore"):
        gaps = rows.max(axis=1, initial=-np.inf) - rows.min(axis=1, initial=np.inf)
    gaps = gaps[~np.isnan(gaps)]
    return float(gaps.max()) if gaps.size else None


def _largest_sum_error(case: Case) -> float | None:
    """How far the sum of a row of probabilities lies from 1 at most; None for class indices."""
    if not case.soft or not case.target.size:
        return None
    sums = rows_of(case.target, case.class_axis).astype(np.float64).sum(axis=1)
    return float(np.abs(sums - 1).max())


def _largest_loss(case: Case, truth: Truth) -> float | None:
    """The largest plain loss of the rows kept; None where there is none, or a target is invalid."""
    plain = case.but(
        weight=None, label_smoothing=None, reduction="none", size_average=None, reduce=None
    )
    try:
        exact = truth.solution(plain.but(cotangent=None))
    except UsageError:
        return None
    losses = exact.loss_rows.hi[kept(case)]
    losses = losses[~np.isnan(losses)]
    return float(losses.max()) if losses.size else None
