"""The loss and its gradient are what the formula says, and what their own steps say."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case, part
from conformance.cases.regimes import ORDINARY, SMALL
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.cases.worked_example import LOSS as WORKED_EXAMPLE_LOSS
from conformance.cases.worked_example import worked_example
from conformance.properties.property import states
from conformance.properties.transform import rising_target, rows_of
from conformance.properties.trial import Trial, rounding

FORMULA = "l = (1-e) w_y (-log p_y) + (e/C) sum_c w_c (-log p_c), 0 where y = ignore_index"
GRADIENT = "dl/dx = g [(1-e) w_y (p - onehot_y) + (e/C)(p sum_c w_c - w)]"

STEPS = PLAIN.but(
    weights=("none", "random"), ignored=("none", "some"), reductions=("none", "mean", "sum")
)


@states(
    "The loss equals the formula, whatever options are combined.",
    slug="loss-formula",
    family="definition",
    formula=FORMULA,
    space=EVERYTHING.but(regimes=(*SMALL, "wide", "many-rows")),
    links=(
        "https://github.com/pytorch/pytorch/issues/69339",
        "https://github.com/onnx/onnx/pull/8423",
        "https://github.com/NVIDIA/Megatron-LM/pull/5522",
    ),
)
def loss_formula(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)


@states(
    "The gradient equals the formula, whatever options are combined.",
    slug="gradient-formula",
    family="definition",
    formula=GRADIENT,
    space=EVERYTHING.but(regimes=(*SMALL, "wide", "many-rows")),
    needs=("gradient",),
    links=(
        "https://github.com/linkedin/Liger-Kernel/pull/1329",
        "https://github.com/FluxML/NNlib.jl/issues/68",
        "https://github.com/PaddlePaddle/Paddle/pull/28622",
    ),
)
def gradient_formula(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(case)


@states(
    "Softmax, then log, then NLL give the fused loss wherever the steps are well conditioned.",
    slug="steps-equal-fused-loss",
    family="definition",
    formula="-log(softmax(x))_y = log sum_j exp(x_j) - x_y",
    space=STEPS,
    needs=("stages",),
    strong=("typical", "ties"),  # a small p_y costs the steps their accuracy
    links=("https://github.com/onnx/onnx/pull/8423",),
)
def steps_equal_fused_loss(case: Case, trial: Trial) -> None:
    bound = trial.truth.loss_bound(case) + trial.truth.chain_loss_bound(case)
    steps = trial.ask("softmax-log-nll loss", case)
    trial.same("the loss by softmax, log, NLL", steps, trial.loss(case), bound)


@states(
    "The gradient through softmax, log and NLL is the fused one wherever it is well conditioned.",
    slug="steps-equal-fused-gradient",
    family="definition",
    formula="d(-log(softmax(x))_y)/dx = softmax(x) - onehot_y",
    space=STEPS.but(regimes=ORDINARY),
    needs=("stages", "gradient", "stage gradients"),
    strong=("typical", "ties"),
    links=("https://github.com/clab/dynet/issues/218",),
)
def steps_equal_fused_gradient(case: Case, trial: Trial) -> None:
    bound = trial.truth.gradient_bound(case) + trial.truth.chain_gradient_bound(case)
    steps = trial.ask("softmax-log-nll gradient", case)
    trial.same("the gradient by softmax, log, NLL", steps, trial.gradient(case), bound)


@states(
    "Log-softmax, then NLL give the fused loss everywhere.",
    slug="log-softmax-nll-equals-fused",
    family="definition",
    formula="-(x - log sum_j exp(x_j))_y = log sum_j exp(x_j) - x_y",
    space=STEPS,
    needs=("log_softmax stage",),
)
def log_softmax_nll_equals_fused(case: Case, trial: Trial) -> None:
    bound = 2 * trial.truth.loss_bound(case)
    steps = trial.ask("log_softmax-nll loss", case)
    trial.same("the loss by log_softmax, NLL", steps, trial.loss(case), bound)


@states(
    "Log-softmax, then NLL give the fused gradient everywhere.",
    slug="log-softmax-nll-equals-fused-gradient",
    family="definition",
    formula="d(-(x - log sum_j exp(x_j))_y)/dx = softmax(x) - onehot_y",
    space=STEPS,
    needs=("log_softmax stage", "gradient", "stage gradients"),
    links=(
        "https://github.com/ROCm/MIOpen/issues/112",
        "https://github.com/clab/dynet/issues/218",
    ),
)
def log_softmax_nll_equals_fused_gradient(case: Case, trial: Trial) -> None:
    bound = 2 * trial.truth.gradient_bound(case)
    steps = trial.ask("log_softmax-nll gradient", case)
    trial.same("the gradient by log_softmax, NLL", steps, trial.gradient(case), bound)


@states(
    "The worked example, a batch of 4 rows and 5 classes, has the loss 1.5230.",
    slug="worked-example",
    family="definition",
    formula=f"mean of -log softmax(x)_y over labels 4 3 3 2 = {WORKED_EXAMPLE_LOSS}",
    space=PLAIN.but(regimes=("typical",), reductions=("mean", "none")),
    share=0.0,
)
def worked_example_gives_its_loss(case: Case, trial: Trial) -> None:
    example = worked_example(case.dtype).but(reduction=case.reduction)
    got = trial.loss(example)
    trial.within("the loss", got, trial.exact(example).loss, trial.truth.loss_bound(example))
    if case.dtype in ("float64", "float32"):  # narrower logits are other logits
        mean = float(np.mean(got.astype(np.float64)))
        trial.require(
            f"{mean:.4f}" == WORKED_EXAMPLE_LOSS,
            f"the mean loss is {mean:.4f}, should be {WORKED_EXAMPLE_LOSS}",
            got=str(mean),
        )


HEIGHTS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1024.0)
"""How far the target's logit stands above the others: exp spans 104 in float32, 745 in float64."""


@states(
    "The loss for a class index is not negative where its weight is not.",
    slug="loss-is-not-negative",
    family="definition",
    formula="w_y >= 0: l = w_y (-log p_y) >= 0",
    space=PLAIN.but(
        regimes=(*ORDINARY, "gap"),
        weights=("none", "random", "some-zero"),
        reductions=("none", "mean", "sum"),
    ),
    links=("https://github.com/apple/ml-cross-entropy/issues/52",),
    share=0.5,
)
def loss_is_not_negative(case: Case, trial: Trial) -> None:
    loss, bound = trial.loss(case), trial.truth.loss_bound(case)
    trial.at_least("the loss", loss, np.zeros(()), bound)
    # A loss of 0 is not negative either.
    trial.within("the loss", loss, trial.exact(case).loss, bound)


@states(
    "The loss goes to 0 as the probability of the target goes to 1.",
    slug="loss-vanishes-with-confidence",
    family="definition",
    formula="x_y - max_{c != y} x_c -> inf: p_y -> 1, l -> 0",
    space=PLAIN.but(regimes=("typical", "ties", "tiny-differences", "two-peaks"), min_classes=2),
    strong=("typical", "ties"),
    links=("https://github.com/keras-team/tf-keras/issues/242",),
    share=0.5,
)
def loss_vanishes_with_confidence(case: Case, trial: Trial) -> None:
    rising = rising_target(case, HEIGHTS)
    bound = trial.truth.loss_bound(rising)
    trial.within("the loss", trial.loss(rising), trial.exact(rising).loss, bound)


@states(
    "The loss falls, or stays, as the logit of the target rises.",
    slug="loss-falls-as-the-target-rises",
    family="definition",
    formula="dl/dx_y = p_y - 1 <= 0",
    space=PLAIN.but(regimes=("typical", "ties", "tiny-differences", "two-peaks"), min_classes=2),
    strong=("typical", "ties"),
    share=0.5,
)
def loss_falls_as_the_target_rises(case: Case, trial: Trial) -> None:
    rising = rising_target(case, (-8.0, -4.0, -2.0, -1.0, *HEIGHTS))
    losses, bound = trial.loss(rising), trial.truth.loss_bound(rising)
    lower, higher = losses[:-1], losses[1:].astype(np.float64)
    trial.at_least("the loss below a step up", lower, higher, bound[:-1] + bound[1:])
    # A loss that never changes falls nowhere.
    trial.within("the loss", losses, trial.exact(rising).loss, bound)


@states(
    "Equal logits give the loss log C.",
    slug="equal-logits-give-log-c",
    family="definition",
    formula="x_1 = .. = x_C: p_c = 1/C, l = log C",
    space=PLAIN.but(
        regimes=("typical", "ties", "common-offset", "subnormal", "wide"),
        smoothings=(None, 0.1),
        reductions=("none", "mean"),
        shapes=("unbatched", "batched"),
    ),
    strong=("typical", "ties"),
    links=(
        "https://github.com/pytorch/xla/issues/859",
        "https://github.com/jax-ml/jax/issues/13529",
    ),
    share=0.5,
)
def equal_logits_give_log_c(case: Case, trial: Trial) -> None:
    first = part(case.logits, case.class_axis, slice(0, 1))
    equal = case.but(logits=np.repeat(first, case.classes, case.class_axis))
    bound = trial.truth.loss_bound(equal)
    log_c = np.full(bound.shape, np.log(case.classes))
    # The logarithm here is off by less than one unit in the last place: two unit roundoffs.
    trial.same("the loss", trial.loss(equal), log_c, bound + 2 * rounding(log_c))


@states(
    "Without weights and smoothing, the gradient and the target's one-hot add up to the softmax.",
    slug="gradient-reveals-a-softmax",
    family="definition",
    formula="dl/dx + onehot_y = p:  p_c >= 0,  sum_c p_c = 1,  p = softmax(x)",
    space=PLAIN.but(regimes=(*ORDINARY, "gap", "row-offsets")),
    needs=("gradient",),
    links=("https://github.com/ROCm/MIOpen/issues/112",),
    share=0.5,
)
def gradient_reveals_a_softmax(case: Case, trial: Trial) -> None:
    case = case.but(cotangent=None)  # ones
    gradient, exact = trial.gradient(case), trial.exact(case).gradient
    bound = trial.truth.gradient_bound(case)
    p = rows_of(gradient, 1).astype(np.float64)
    p[np.arange(case.rows), case.target.reshape(-1)] += 1
    # The addition here rounds once, in float64.
    off = rows_of(bound, 1) + rounding(p)
    trial.at_least("the gradient, plus 1 at the target,", p, np.zeros(()), off)
    off_sum = off.sum(1) + case.classes * 2.0**-52 * np.abs(p).sum(1)
    trial.same("the sum over a row of it", p.sum(1), np.ones(case.rows), off_sum)
    assert exact is not None
    trial.within("the gradient", gradient, exact, bound)


PROPERTIES = (
    loss_formula,
    gradient_formula,
    steps_equal_fused_loss,
    steps_equal_fused_gradient,
    log_softmax_nll_equals_fused,
    log_softmax_nll_equals_fused_gradient,
    worked_example_gives_its_loss,
    loss_is_not_negative,
    loss_vanishes_with_confidence,
    loss_falls_as_the_target_rises,
    equal_logits_give_log_c,
    gradient_reveals_a_softmax,
)
