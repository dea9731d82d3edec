"""The loss and its gradient are what the formula says, and what their own steps say."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY, SMALL
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.cases.worked_example import LOSS as WORKED_EXAMPLE_LOSS
from conformance.cases.worked_example import worked_example
from conformance.properties.property import states
from conformance.properties.trial import Trial

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
            got=f"{mean!r}",
        )


PROPERTIES = (
    loss_formula,
    gradient_formula,
    steps_equal_fused_loss,
    steps_equal_fused_gradient,
    log_softmax_nll_equals_fused,
    worked_example_gives_its_loss,
)
