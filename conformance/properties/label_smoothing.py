"""Label smoothing: a share e of each target is spread over all classes."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.trial import Trial, rounding
from conformance.spec.double_double import Pair

SMOOTHED = EVERYTHING.but(smoothings=(0.1, 0.5, 1.0, 0.3))


@states(
    "Label smoothing follows the formula, with weights and ignored rows.",
    slug="smoothing-formula",
    family="label_smoothing",
    formula="l = (1-e) w_y (-log p_y) + (e/C) sum_c w_c (-log p_c)",
    space=SMOOTHED,
    links=(
        "https://github.com/pytorch/pytorch/issues/73205",
        "https://github.com/linkedin/Liger-Kernel/pull/420",
        "https://github.com/tinygrad/tinygrad/pull/3570",
    ),
)
def smoothing_formula(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)


@states(
    "The gradient of the smoothed loss follows the formula.",
    slug="smoothing-gradient",
    family="label_smoothing",
    formula="dl/dx = g [(1-e) w_y (p - onehot_y) + (e/C)(p sum_c w_c - w)]",
    space=SMOOTHED,
    needs=("gradient",),
)
def smoothing_gradient(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(case)


@states(
    "The loss is affine in the smoothing: halfway between none and all of it lies the middle.",
    slug="smoothing-is-affine",
    family="label_smoothing",
    formula="l(e = 1/2) = (l(e = 0) + l(e = 1)) / 2",
    space=SMOOTHED.but(smoothings=(0.5,)),
    strong=("confident-wrong",),
)
def smoothing_is_affine(case: Case, trial: Trial) -> None:
    half = trial.loss(case)
    ends = [case.but(label_smoothing=e) for e in (1.0, 0.0)]
    full, none = (trial.loss(end).astype(np.float64) for end in ends)
    with np.errstate(invalid="ignore", over="ignore"):
        middle = none / 2 + full / 2
        bound = sum(trial.truth.loss_bound(end) for end in ends) / 2 + trial.truth.loss_bound(case)
        # Halving is exact; the addition rounds once, in float64.
        bound = bound + rounding(middle)
    trial.within("the loss at e = 1/2", half, Pair(middle, 0 * middle), bound)


PROPERTIES = (smoothing_formula, smoothing_gradient, smoothing_is_affine)
