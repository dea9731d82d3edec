"""Class weights."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.trial import Trial

WEIGHTED = EVERYTHING.but(
    weights=("random", "some-zero", "negative"), targets=("indices",), smoothings=(None,)
)


@states(
    "Class weights scale each row by the weight of its class; mean divides by their sum.",
    slug="weight-formula",
    family="weight",
    formula="none: w_y l;  sum: sum_i w_y l;  mean: sum_i w_y l / sum_i w_y, ignored rows apart",
    space=WEIGHTED,
    links=(
        "https://github.com/pytorch/pytorch/issues/31295",
        "https://github.com/PaddlePaddle/Paddle/pull/24352",
        "https://github.com/pytorch/pytorch/issues/64256",
    ),
)
def weight_formula(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)


@states(
    "Weights that are all one change nothing.",
    slug="unit-weights-change-nothing",
    family="weight",
    formula="w = 1: l(x, y, w) = l(x, y)",
    space=WEIGHTED.but(weights=("ones",)),
)
def unit_weights_change_nothing(case: Case, trial: Trial) -> None:
    bound = 2 * trial.truth.loss_bound(case)
    trial.same(
        "the loss with unit weights", trial.loss(case), trial.loss(case.but(weight=None)), bound
    )


@states(
    "The gradient of a row whose class has weight 0 is exactly 0.",
    slug="zero-weight-is-silent",
    family="weight",
    formula="w_y = 0: dl/dx = 0",
    space=PLAIN.but(weights=("some-zero",)),
    needs=("gradient",),
    links=("https://github.com/pytorch/pytorch/issues/64256",),
)
def zero_weight_is_silent(case: Case, trial: Trial) -> None:
    assert case.weight is not None
    assert case.cotangent is not None
    weight = case.weight.copy()
    weight[case.target.reshape(-1)[0]] = 0
    # The silent row is asked with a cotangent that would show.
    cotangent = case.cotangent.copy()
    cotangent.reshape(-1)[0] = 1
    case = case.but(weight=weight, cotangent=cotangent)
    silent = weight[case.target] == 0
    gradient = trial.gradient(case)
    trial.require(
        gradient.shape == case.logits.shape,
        f"the gradient has shape {gradient.shape}, should be {case.logits.shape}",
        kind="shape",
    )
    trial.require(
        not np.any(gradient[silent].astype(np.float64)),
        "the gradient of a row of weight 0 is not 0",
        got=str(gradient[silent]),
    )
    exact = trial.exact(case).gradient
    assert exact is not None
    trial.within("the gradient", gradient, exact, trial.truth.gradient_bound(case))


PROPERTIES = (weight_formula, unit_weights_change_nothing, zero_weight_is_silent)
