"""Wrong input must not get an answer that looks right."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.transform import calm, ignore_index_of, rng_of
from conformance.properties.trial import Trial

BATCHES = EVERYTHING.but(
    regimes=("typical", "ties"),
    targets=("indices",),
    ignored=("none",),
    smoothings=(None, 0.1),
    shapes=("batched",),
)


def _out_of_range(case: Case) -> Case:
    """The case with one label outside [0, C) that is not the ignored one."""
    rng = rng_of(case)
    labels = (case.classes, case.classes + 5, -1, -2, -case.classes, -case.classes - 1)
    bad = [
        label
        for label in labels
        if label != ignore_index_of(case) and (label >= 0 or case.target.dtype.kind == "i")
    ]
    target = case.target.copy()
    target[rng.integers(target.size)] = bad[rng.integers(len(bad))]
    return case.but(target=target)


@states(
    "A target outside [0, C) never gets a finite loss that looks valid: it raises or gives NaN.",
    slug="out-of-range-target",
    family="validation",
    formula="y not in [0, C), y != ignore_index: an exception, or l is not finite",
    space=BATCHES,
    about="refusal",
    poisons=True,
    links=(
        "https://github.com/google-deepmind/optax/issues/1185",
        "https://github.com/pytorch/pytorch/issues/108148",
        "https://github.com/tensorflow/tensorflow/issues/8484",
    ),
)
def out_of_range_target(case: Case, trial: Trial) -> None:
    case = calm(case)
    if case.classes > 1:  # one class has a property of its own
        trial.is_answered(case)
    wrong = _out_of_range(case)
    outcome = trial.outcome(wrong)
    if isinstance(outcome, str):
        return
    losses = outcome.astype(np.float64)
    bad = (wrong.target < 0) | (wrong.target >= wrong.classes)
    if losses.shape == bad.shape:
        losses = losses[bad]
    label = int(wrong.target[bad][0])
    trial.require(
        not np.isfinite(losses).any(),
        f"target {label} with {wrong.classes} classes gets the loss {losses.reshape(-1)[0]:.6g}",
        kind="accepted",
        got=str(losses),
    )


@states(
    "What happens when a target is out of range?",
    slug="out-of-range-target-answer",
    family="validation",
    level="behaviour",
    formula="y not in [0, C), y != ignore_index",
    space=BATCHES.but(
        regimes=("typical",), weights=("none",), smoothings=(None,), reductions=("none",)
    ),
    poisons=True,
)
def out_of_range_target_answer(case: Case, trial: Trial) -> str:
    target = case.target.copy()
    target[-1] = case.classes
    outcome = trial.outcome(case.but(target=target))
    if isinstance(outcome, str):
        return outcome
    value = float(outcome.reshape(-1)[-1].astype(np.float64))
    return "a finite number" if np.isfinite(value) and value != 0 else f"{value:g}"


# -- arguments that fit no question --------------------------------------------------------------

VALID = PLAIN.but(
    regimes=("typical", "ties", "confident-wrong"),
    reductions=("none", "mean", "sum"),
    min_rows=2,
    min_classes=2,
)


def _are_refused(valid: Case, wrong: Iterator[tuple[str, Case]], trial: Trial) -> None:
    """The valid question is answered, and each of its wrong twins raises."""
    trial.is_answered(calm(valid))
    accepted = [
        f"{what} gets {got}" for what, twin in wrong if (got := trial.accepted(twin)) is not None
    ]
    trial.require(not accepted, "; ".join(accepted), kind="accepted", got="; ".join(accepted))


@states(
    "A target whose shape does not fit the logits is rejected.",
    slug="wrong-shapes-are-rejected",
    family="validation",
    level="should",
    formula="logits (N, C): class indices (N,), probabilities (N, C), or an exception",
    space=VALID.but(targets=("indices", "probabilities"), shapes=("batched", "spatial")),
    about="refusal",
    links=("https://github.com/google-deepmind/optax/issues/1185",),
)
def wrong_shapes_are_rejected(case: Case, trial: Trial) -> None:
    right = case.target
    wrong = (
        right[:-1],
        np.concatenate([right, right[:1]]),
        right[..., None],
        right[None],
        right.T,
        np.moveaxis(right, 1, -1) if case.soft else right.reshape(-1),
    )
    twins = (
        (f"a target {t.shape} for logits {case.logits.shape}", case.but(target=t))
        for t in {t.shape: np.ascontiguousarray(t) for t in wrong}.values()
        if t.shape != right.shape
    )
    _are_refused(case, twins, trial)


@states(
    "A weight vector that has not one element for each class is rejected.",
    slug="wrong-weight-length-is-rejected",
    family="validation",
    level="should",
    formula="w has the shape (C,), or an exception",
    space=VALID.but(weights=("random",)),
    about="refusal",
    links=("https://github.com/pytorch/pytorch/pull/172018",),
)
def wrong_weight_length_is_rejected(case: Case, trial: Trial) -> None:
    assert case.weight is not None
    w = case.weight
    twins = (
        (f"a weight {v.shape} for {case.classes} classes", case.but(weight=v))
        for v in (w[:-1], np.append(w, w[:1]), np.outer(np.ones_like(w), w))
    )
    _are_refused(case, twins, trial)


@states(
    "A reduction that there is not is rejected.",
    slug="unknown-reduction-is-rejected",
    family="validation",
    level="should",
    formula="reduction in none, mean, sum, or an exception",
    space=VALID,
    about="refusal",
    needs=("reduction argument",),
)
def unknown_reduction_is_rejected(case: Case, trial: Trial) -> None:
    twins = ((f"reduction {r!r}", case.but(reduction=r)) for r in ("average", ""))
    _are_refused(case, twins, trial)


@states(
    "A label smoothing outside [0, 1] is rejected.",
    slug="smoothing-outside-0-1-is-rejected",
    family="validation",
    level="should",
    formula="0 <= e <= 1, or an exception",
    space=VALID.but(smoothings=(0.1, 0.5), targets=("indices", "probabilities")),
    about="refusal",
    links=("https://github.com/pytorch/pytorch/issues/134767",),
)
def smoothing_outside_0_1_is_rejected(case: Case, trial: Trial) -> None:
    twins = ((f"label_smoothing {e}", case.but(label_smoothing=e)) for e in (1.5, -0.1, np.nan))
    _are_refused(case, twins, trial)


@states(
    "Class indices that are floating-point numbers are rejected.",
    slug="floating-point-indices-are-rejected",
    family="validation",
    level="should",
    formula="y is of an integer dtype, or an exception",
    space=VALID,
    about="refusal",
    links=(
        "https://github.com/apache/mxnet/issues/8405",
        "https://github.com/THUFutureLab/gluon-face/issues/28",
    ),
)
def floating_point_indices_are_rejected(case: Case, trial: Trial) -> None:
    twins = (
        (f"a target of {d}", case.but(target=case.target.astype(d)))
        for d in dict.fromkeys((case.logits.dtype, np.dtype(np.float32)))
    )
    _are_refused(case, twins, trial)


PROPERTIES = (
    out_of_range_target,
    out_of_range_target_answer,
    wrong_shapes_are_rejected,
    wrong_weight_length_is_rejected,
    unknown_reduction_is_rejected,
    smoothing_outside_0_1_is_rejected,
    floating_point_indices_are_rejected,
)
