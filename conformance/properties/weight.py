"""Class weights."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY, SMALL
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.transform import in_two, rng_of
from conformance.properties.trial import Trial

WEIGHTED = EVERYTHING.but(
    weights=("random", "some-zero", "negative"), targets=("indices",), smoothings=(None,)
)


@states(
    "Class weights scale each row by the weight of its class; mean divides by their sum.",
    slug="weight-formula",
    family="weight",
    formula="none: w_y l;  sum: sum_i w_y l;  mean: sum_i w_y l / sum_i w_y, ignored rows apart",
    space=WEIGHTED.but(regimes=(*SMALL, "wide", "tile-64")),
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
        not np.any(gradient[silent].astype(np.float64)),
        "the gradient of a row of weight 0 is not 0",
        got=str(gradient[silent]),
    )
    exact = trial.exact(case).gradient
    assert exact is not None
    trial.within("the gradient", gradient, exact, trial.truth.gradient_bound(case))


@states(
    "The gradient follows the weights, of either sign, for every reduction.",
    slug="weight-gradient",
    family="weight",
    formula="none: g_i w_y (p - onehot_y);  sum: g w_y (..);  mean: g w_y (..) / sum_i w_y",
    space=WEIGHTED.but(regimes=(*ORDINARY, "gap")),
    needs=("gradient",),
    links=(
        "https://github.com/pytorch/pytorch/issues/64256",
        "https://github.com/pytorch/xla/pull/287",
    ),
    share=0.5,
)
def weight_gradient(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(case)


@states(
    "The mean for class indices does not change when all weights are scaled alike.",
    slug="mean-ignores-the-scale-of-weights",
    family="weight",
    formula="mean: l(x, y, a w) = l(x, y, w),  a > 0",
    space=EVERYTHING.but(
        regimes=(*ORDINARY, "gap"),
        targets=("indices",),
        weights=("random", "some-zero", "negative"),
        ignored=("none", "some"),
        reductions=("mean", None),
    ),
    links=("https://github.com/torch/nn/issues/775",),
    share=0.5,
)
def mean_ignores_the_scale_of_weights(case: Case, trial: Trial) -> None:
    assert case.weight is not None
    scale = rng_of(case).choice((2.0**-4, 2.0**4))  # exact, and far within every format
    scaled = case.but(weight=case.weight * case.weight.dtype.type(scale))
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(scaled)
    trial.same("the mean with scaled weights", trial.loss(scaled), trial.loss(case), bound)


@states(
    "Unreduced losses and their sum are linear in the weights.",
    slug="linear-in-the-weights",
    family="weight",
    formula="none, sum: l(a u + b v) = a l(u) + b l(v)",
    space=EVERYTHING.but(
        regimes=(*ORDINARY, "gap"),
        weights=("random", "some-zero", "negative"),
        ignored=("none", "some"),
        reductions=("none", "sum"),
    ),
    links=("https://github.com/PaddlePaddle/Paddle/pull/24352",),
    share=0.5,
)
def linear_in_the_weights(case: Case, trial: Trial) -> None:
    assert case.weight is not None
    one, rest = (case.but(weight=weight) for weight in in_two(case.weight))
    trial.loss_combines(case, ((0.5, one), (1.0, rest)))


@states(
    "What is the mean when all rows have the weight 0?",
    slug="mean-of-zero-weights",
    family="weight",
    level="behaviour",
    formula="w_{y_i} = 0 for every i: 0/0",
    space=PLAIN.but(
        regimes=("typical",),
        weights=("random",),
        reductions=("mean",),
        shapes=("batched", "spatial"),
    ),
    share=0.2,
)
def mean_of_zero_weights(case: Case, trial: Trial) -> str:
    assert case.weight is not None
    outcome = trial.outcome(case.but(weight=np.zeros_like(case.weight)))
    if isinstance(outcome, str):
        return outcome
    return f"{float(outcome.astype(np.float64)):g}" if not outcome.ndim else "no number"


@states(
    "Float16 weights below the normal numbers count like any other.",
    slug="subnormal-weights",
    family="weight",
    formula="0 < w_c < 2^-14: l = sum_i w_{y_i} l_i / sum_i w_{y_i}, never 0 / 0",
    # Only in float16: smaller subnormal numbers may be flushed, and nobody has such weights.
    space=PLAIN.but(regimes=ORDINARY, weights=("random",), reductions=("mean",)),
    dtypes=("float16",),
    strong=("confident-wrong",),
    share=0.5,
)
def subnormal_weights(case: Case, trial: Trial) -> None:
    assert case.weight is not None  # the space has no case without
    trial.loss_is_right(case.but(weight=case.weight * np.float16(2.0**-16)))


PROPERTIES = (
    weight_formula,
    weight_gradient,
    unit_weights_change_nothing,
    zero_weight_is_silent,
    mean_ignores_the_scale_of_weights,
    linear_in_the_weights,
    subnormal_weights,
    mean_of_zero_weights,
)
