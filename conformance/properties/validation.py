"""Wrong input must not get an answer that looks right."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import ignore_index_of, rng_of
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
    links=(
        "https://github.com/google-deepmind/optax/issues/1185",
        "https://github.com/pytorch/pytorch/issues/108148",
        "https://github.com/tensorflow/tensorflow/issues/8484",
    ),
)
def out_of_range_target(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)  # whoever refuses everything validates nothing
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
)
def out_of_range_target_answer(case: Case, trial: Trial) -> str:
    target = case.target.copy()
    target[-1] = case.classes
    outcome = trial.outcome(case.but(target=target))
    if isinstance(outcome, str):
        return outcome
    value = float(outcome.reshape(-1)[-1].astype(np.float64))
    return "a finite number" if np.isfinite(value) and value != 0 else f"{value:g}"


PROPERTIES = (out_of_range_target, out_of_range_target_answer)
