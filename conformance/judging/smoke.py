"""Smoke: is the adapter broken, before anybody asks whether the implementation is wrong?

A handful of the plainest questions.  An adapter that cannot answer them (it raises, or returns
another shape or no floating-point numbers) or claims an option that changes nothing would fail
every property, and tell nothing about the implementation behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.cases.case import Array, Case
from conformance.contract.session import Session
from conformance.errors import ConformanceError
from conformance.properties.asking import Answer, Live, Watch, cotangent_of, unwatched
from conformance.spec.formats import FORMATS


@dataclass(frozen=True)
class SmokeFinding:
    """What is broken, and what to do about it."""

    message: str


def smoke(session: Session) -> list[SmokeFinding]:
    """What is broken about an adapter; empty if it is fit to be judged."""
    return [SmokeFinding(message) for message in dict.fromkeys(_findings(session))]


def _findings(session: Session) -> Iterator[str]:
    has = session.implementation.capabilities
    for dtype in has.dtypes:
        case = plainest(session, dtype)
        try:
            loss = ask(session, "loss", case)
            gradient = ask(session, "gradient", case) if has.gradient else None
        except ConformanceError as error:
            yield str(error)
            return
        yield from _about_loss(loss, case)
        if gradient is not None:
            yield from _about_gradient(gradient, case)
    yield from _about_options(session)


def ask(session: Session, question: str, case: Case, watch: Watch = unwatched) -> Answer:
    """One question, one answer: an array, or what was raised."""
    options = session.implementation.capabilities.options
    return Live(session, options, watch=watch).ask(question, case)


def plainest(session: Session, dtype: str) -> Case:
    """Three rows, four classes, nothing special, in a form that the implementation supports."""
    has = session.implementation.capabilities
    logits = np.array([[0.5, -1.0, 2.0, 0.25], [1.5, 0.0, -0.5, 1.0], [-2.0, 0.75, 1.25, -0.25]])
    labels = np.array([2, 0, 3])
    if "indices" in has.targets:
        target: Array = labels.astype(has.target_dtypes[0])
    else:
        target = np.eye(4)[labels].astype(FORMATS[dtype].dtype)
    case = Case(
        logits=logits.astype(FORMATS[dtype].dtype), target=target, reduction=has.reductions[0]
    )
    if "batched" not in has.shapes:
        single = "unbatched" in has.shapes
        case = case.but(
            logits=case.logits[0] if single else case.logits[:, :, None],
            target=case.target[0] if single else case.target[..., None],
        )
    return case


def _about_loss(loss: Answer, case: Case) -> Iterator[str]:
    expected = cotangent_of(case).shape
    if loss.value is None:
        yield (
            f"asked for the loss of logits {case.logits.shape} in {case.dtype}, the adapter raises "
            f"{loss.raised}; fix it, or drop {case.dtype} from dtypes"
        )
    elif loss.value.shape != expected:
        yield (
            f"the loss of logits {case.logits.shape} with reduction={case.reduction!r} has shape "
            f"{loss.value.shape}, should be {expected}; check what the adapter returns"
        )
    elif loss.value.dtype.name not in FORMATS:
        yield f"the loss is of dtype {loss.value.dtype}, no floating-point format; return floats"


def _about_gradient(gradient: Answer, case: Case) -> Iterator[str]:
    if gradient.value is None:
        yield (
            f"asked for the gradient in {case.dtype}, the adapter raises {gradient.raised}; "
            "fix its vjp"
        )
    elif gradient.value.shape != case.logits.shape:
        yield (
            f"the gradient of logits {case.logits.shape} has shape {gradient.value.shape}: "
            "a vjp returns an array in the shape of the logits"
        )


def _about_options(session: Session) -> Iterator[str]:
    """Each option that the signature claims must change something."""
    has = session.implementation.capabilities
    case = plainest(session, has.dtypes[0])
    changes: dict[str, dict[str, Any]] = {"label_smoothing": {"label_smoothing": 0.5}}
    if case.rows > 1 or case.reduction != "mean":  # the weighted mean of one row is its loss
        weight = np.array([3, 0.5, 0.25, 2]).astype(case.logits.dtype)
        changes["weight"] = {"weight": weight}
    if case.rows > 1 and len(has.reductions) > 1:
        changes["reduction"] = {"reduction": has.reductions[1]}
    if not case.soft and "mean" not in has.reductions[:1]:
        changes["ignore_index"] = {"ignore_index": int(case.target.reshape(-1)[0])}
    for option, change in changes.items():
        if option not in has.options:
            continue
        plain = ask(session, "loss", case).value
        changed = ask(session, "loss", case.but(**change)).value
        if plain is None or changed is None:
            continue  # an implementation that raises is judged, not smoked
        if plain.shape == changed.shape and np.array_equal(plain, changed):
            yield (
                f"the adapter takes {option}, but the loss is the same with and without it: "
                f"pass it on, or drop it from the signature"
            )
