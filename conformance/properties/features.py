"""What can be said of a case: the closed list of features that a region of known failures uses."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.cases.case import Case
from conformance.properties.transform import kept
from conformance.properties.truth import Truth, reduction_of


def features(case: Case, truth: Truth, device: str) -> dict[str, Any]:
    """The features of a case, by the names that known-failures files use."""
    logits = case.logits.astype(np.float64)
    finite = logits[np.isfinite(logits)]
    exact = truth.solution(case.but(weight=None, label_smoothing=None, reduction="none"))
    losses = exact.loss_rows.hi[kept(case)]
    losses = losses[~np.isnan(losses)]
    largest = float(losses.max()) if losses.size else None
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
        "ndim": case.logits.ndim,
        "max_abs_logit": float(np.abs(finite).max()) if finite.size else None,
        "max_loss": largest,
        "min_p_target": None if largest is None else float(np.exp(-largest)),
        "has_inf": bool(np.isinf(logits).any()),
        "has_nan": bool(np.isnan(logits).any()),
    }
