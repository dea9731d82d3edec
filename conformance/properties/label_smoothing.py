"""Label smoothing: a share e of each target is spread over all classes."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import flattened, normalised, one_hot, other_targets
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
    "Any smoothing between 0 and 1 is taken as it is, not as another one near it.",
    slug="smoothing-of-any-size",
    family="label_smoothing",
    formula="l as in smoothing-formula, e = 1/3, 0.001, 0.0625, 0.98765",
    space=SMOOTHED.but(smoothings=(1 / 3, 0.001, 0.0625, 0.98765)),
    share=0.5,
)
def smoothing_of_any_size(case: Case, trial: Trial) -> None:
    trial.loss_is_right(normalised(case))


@states(
    "The loss is affine in the smoothing: halfway between none and all of it lies the middle.",
    slug="smoothing-is-affine",
    family="label_smoothing",
    formula="l(e = 1/2) = (l(e = 0) + l(e = 1)) / 2",
    space=SMOOTHED.but(smoothings=(0.5,)),
    strong=("confident-wrong",),
    share=0.5,
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
    trial.within("the loss at e = 1/2", half, Pair(middle, np.zeros_like(middle)), bound)


@states(
    "A smoothing of 0 is none: as if it was left out, beside masked classes too.",
    slug="zero-smoothing-is-off",
    family="label_smoothing",
    formula="l(e = 0) = l(e left out)",
    space=EVERYTHING.but(
        regimes=("typical", "confident-wrong", "gap", "ties", "masked"),
        targets=("indices",),
        ignored=("none", "some"),
        smoothings=(0.0,),
    ),
    links=("https://github.com/candle-org/MindAct/pull/1633",),
    share=0.5,
)
def zero_smoothing_is_off(case: Case, trial: Trial) -> None:
    left_out = trial.loss(case.but(label_smoothing=None)).astype(np.float64)
    bound = 2 * trial.truth.loss_bound(case)
    # NaN where it is NaN without smoothing too: others name that fault.
    trial.within(
        "the loss at e = 0", trial.loss(case), Pair(left_out, np.zeros_like(left_out)), bound
    )


@states(
    "With a smoothing of 1 all classes count alike: the loss does not depend on the targets.",
    slug="full-smoothing-is-uniform",
    family="label_smoothing",
    formula="l(e = 1) = (1/C) sum_c w_c (-log p_c), whatever y",
    space=EVERYTHING.but(
        regimes=(*ORDINARY, "gap"),
        targets=("indices",),
        ignored=("none", "some"),
        smoothings=(1.0,),
        reductions=("none", "sum"),  # the mean of weighted rows is divided by the targets' weights
        min_classes=2,
    ),
    links=("https://github.com/fastai/fastai/pull/1814",),
    share=0.5,
)
def full_smoothing_is_uniform(case: Case, trial: Trial) -> None:
    other = other_targets(case)
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(other)
    trial.same("the loss for other targets", trial.loss(other), trial.loss(case), bound)


@states(
    "Smoothing a label is smoothing its one-hot row of probabilities (no weights).",
    slug="smoothing-a-label-smooths-its-one-hot",
    family="label_smoothing",
    formula="l(x, y, e) = l(x, onehot_y, e)",
    space=SMOOTHED.but(
        regimes=(*ORDINARY, "gap"), weights=("none",), ignored=("none",), targets=("indices",)
    ),
    needs=("probabilities",),
    links=("https://github.com/pytorch/pytorch/pull/63122",),
    share=0.5,
)
def smoothing_a_label_smooths_its_one_hot(case: Case, trial: Trial) -> None:
    label, hot = flattened(case), one_hot(case)
    bound = trial.truth.loss_bound(label) + trial.truth.loss_bound(hot)
    trial.same("the loss of smoothed one-hot rows", trial.loss(hot), trial.loss(label), bound)


PROPERTIES = (
    smoothing_formula,
    smoothing_gradient,
    smoothing_of_any_size,
    smoothing_is_affine,
    zero_smoothing_is_off,
    full_smoothing_is_uniform,
    smoothing_a_label_smooths_its_one_hot,
)
