"""The original lesson, measured: where softmax, log and NLL leave the fused loss.

One row of two classes whose target loses by a growing gap: the loss is about the gap.  The fused
loss follows it; through the probabilities the loss ends where exp underflows: beyond 87.3 in
float32 and 9.7 in float16 digits are lost, beyond 104.0 and 17.3 it is infinite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.cases.case import Case
from conformance.contract.session import Session
from conformance.judging.smoke import ask
from conformance.properties.asking import Watch, cotangent_of, unwatched
from conformance.properties.truth import Truth
from conformance.spec.formats import FORMATS, FloatFormat

STEPS = "softmax-log-nll loss"


def measure_curve(session: Session, dtype: str, watch: Watch = unwatched) -> dict[str, Any] | None:
    """The ``curve`` record of an implementation: its loss, fused and by steps, as it grows.

    None for an implementation that cannot be asked for the loss of a class index.
    """
    has = session.implementation.capabilities
    if not has_curve(vars(has), dtype):
        return None
    reduction = "none" if "none" in has.reductions else has.reductions[0]
    steps = {"softmax", "nll_loss"} <= set(has.stages)
    truth = Truth()
    points = []
    for gap in _gaps(FORMATS[dtype]):
        case = Case(
            logits=np.array([[gap, 0.0]]).astype(FORMATS[dtype].dtype),
            target=np.array([1]).astype(has.target_dtypes[0]),
            reduction=reduction,
        )
        fused = _asked(session, case, "loss", watch)
        if fused is None:  # no point of a curve: it raised, or has another shape
            continue
        points.append(
            {
                "exact": float(truth.solution(case).loss.hi.reshape(-1)[0]),
                "fused": fused,
                "chain": _asked(session, case, STEPS, watch) if steps else None,
            }
        )
    if not points:
        return None
    return {
        "kind": "curve",
        "implementation": session.implementation.name,
        "device": session.device,
        "dtype": dtype,
        "points": points,
    }


def has_curve(capabilities: Mapping[str, Any], dtype: str) -> bool:
    """Whether an implementation can be asked for the loss of a class index in a dtype."""
    asked = (("targets", "indices"), ("shapes", "batched"), ("dtypes", dtype))
    return all(value in capabilities[name] for name, value in asked)


def _gaps(fmt: FloatFormat) -> list[float]:
    """Gaps between the wrong and the right class: negative where the target wins."""
    end = {"float64": 760.0, "float16": 20.0}.get(fmt.name, 115.0)
    winning = -np.geomspace(18, 0.5, 12)
    losing = np.linspace(0, end, 60)
    return [float(gap) for gap in (*winning, *losing)]


def _asked(session: Session, case: Case, question: str, watch: Watch) -> float | None:
    loss = ask(session, question, case, watch).value
    expected = cotangent_of(case).size
    return float(loss.reshape(-1)[0]) if loss is not None and loss.size == expected else None
