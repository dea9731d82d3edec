"""Reductions: none, sum and mean tell one story, by the new arguments and by the old ones."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.transform import ignore_index_of, kept, rng_of
from conformance.properties.trial import Trial
from conformance.properties.truth import reduction_of
from conformance.spec.double_double import Pair


@states(
    "The sum is the sum of the rows' losses, the mean their sum over the weights of the rows kept.",
    slug="reductions-agree",
    family="reduction",
    formula="sum = sum_i l_i;  mean = sum_i l_i / sum_i w_{y_i}  (probabilities: / N)",
    space=EVERYTHING.but(reductions=("sum", "mean"), ignored=("none", "some", "all-but-one")),
    needs=("reduction none",),
    links=(
        "https://github.com/facebookresearch/detectron2/pull/3454",
        "https://github.com/NVIDIA-NeMo/Automodel/issues/3803",
        "https://github.com/pytorch/xla/issues/859",
    ),
)
def reductions_agree(case: Case, trial: Trial) -> None:
    each = case.but(reduction="none", cotangent=None)
    answer = trial.loss(each)
    trial.within("the losses", answer, trial.exact(each).loss, trial.truth.loss_bound(each))
    losses = answer.astype(np.float64)
    divisor = _divisor(case) if reduction_of(case) == "mean" else 1.0
    bound = trial.truth.loss_bound(case)
    if divisor == 0 or not np.isfinite(bound):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        total = losses.sum() / divisor
        off = float(np.sum(trial.truth.loss_bound(each))) / abs(divisor)
        # The sum here is made in float64: its own roundings, by the bound for sums of any order.
        off += losses.size * 2.0**-52 * float(np.abs(losses).sum()) / abs(divisor)
    got = trial.loss(case)
    trial.within(
        f"the {reduction_of(case)}", got, Pair(np.asarray(total), np.zeros(())), bound + off
    )


def _divisor(case: Case) -> float:
    if case.soft:
        return float(case.rows)
    labels = case.target.reshape(-1)[kept(case)]
    if case.weight is None:
        return float(labels.size)
    return float(case.weight.astype(np.float64)[labels].sum())


@states(
    "The result has the promised shape: one loss a row for none, a scalar for sum and mean.",
    slug="result-shape",
    family="reduction",
    formula="none: (N, d1, .., dk), () unbatched;  sum, mean: ()",
    # Most shapes there are in losses that keep their axes: those that a squeeze would lose.
    space=EVERYTHING.but(
        regimes=ORDINARY,
        ignored=("none", "some"),
        smoothings=(None, 0.1),
        shapes=("unbatched", "batched", "spatial", "spatial"),
        reductions=("none", "mean", "none", "sum", "none", None),
    ),
    about="shape",
    links=(
        "https://github.com/linkedin/Liger-Kernel/pull/435",
        "https://github.com/NVIDIA-NeMo/Automodel/issues/3803",
    ),
)
def result_shape(case: Case, trial: Trial) -> None:
    trial.loss(case)  # held against its shape when it is asked for


@states(
    "The loss has the dtype of the logits.",
    slug="result-dtype",
    family="dtype",
    formula="dtype(l) = dtype(x)",
    space=EVERYTHING.but(regimes=ORDINARY, ignored=("none", "some")),
    about="dtype",
    links=("https://github.com/keras-team/keras/issues/15012",),
)
def result_dtype(case: Case, trial: Trial) -> None:
    loss = trial.loss(case)
    trial.require(
        loss.dtype == case.logits.dtype,
        f"the loss is {loss.dtype}, should be {case.logits.dtype}",
        kind="dtype",
        got=loss.dtype.name,
    )


@states(
    "Class indices may be of any integer dtype that is offered.",
    slug="index-dtypes",
    family="dtype",
    formula="l(x, y as int32) = l(x, y as int64)",
    space=EVERYTHING.but(
        regimes=(*ORDINARY, "wide", "many-rows"),
        targets=("indices",),
        target_dtypes=("int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64"),
    ),
    links=("https://github.com/pytorch/pytorch/issues/85786",),
)
def index_dtypes(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)


@states(
    "The gradient has the dtype of the logits.",
    slug="gradient-dtype",
    family="dtype",
    formula="dtype(dl/dx) = dtype(x)",
    space=EVERYTHING.but(regimes=ORDINARY, ignored=("none", "some")),
    about="dtype",
    needs=("gradient",),
)
def gradient_dtype(case: Case, trial: Trial) -> None:
    gradient = trial.gradient(case)
    trial.require(
        gradient.dtype == case.logits.dtype,
        f"the gradient is {gradient.dtype}, should be {case.logits.dtype}",
        kind="dtype",
        got=gradient.dtype.name,
    )


@states(
    "The legacy arguments size_average and reduce select the reduction by the documented rule.",
    slug="legacy-arguments",
    family="reduction",
    formula="reduce=False: none;  else size_average=False: sum;  else mean",
    space=PLAIN.but(
        regimes=("typical", "ties", "confident-wrong"),
        weights=("none", "random"),
        ignored=("none", "some"),
        reductions=(None,),
    ),
    needs=("legacy",),
    links=("https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",),
)
def legacy_arguments(case: Case, trial: Trial) -> None:
    size_average, reduce = ((None, True, False)[k] for k in rng_of(case).integers(0, 3, 2).tolist())
    if size_average is None and reduce is None:
        reduce = False
    legacy = case.but(size_average=size_average, reduce=reduce, cotangent=None)
    trial.loss_is_right(legacy)


@states(
    "Arguments that are left out have the documented defaults.",
    slug="defaults",
    family="reduction",
    formula="reduction = mean, ignore_index = -100, label_smoothing = 0, weight = 1",
    space=PLAIN.but(
        regimes=("typical", "ties", "confident-wrong", "two-peaks"),
        ignored=("none", "some"),
        ignore_indices=("default",),
        reductions=(None,),
        min_rows=2,
    ),
    links=("https://github.com/PaddlePaddle/Paddle/pull/76033",),
)
def defaults(case: Case, trial: Trial) -> None:
    said = case.but(reduction=reduction_of(case))
    if (case.target == ignore_index_of(case)).any():
        said = said.but(ignore_index=-100)
    bound = 2 * trial.truth.loss_bound(case)
    trial.same("the loss with defaults", trial.loss(case), trial.loss(said), bound)
    trial.loss_is_right(case)


PROPERTIES = (
    reductions_agree,
    result_shape,
    result_dtype,
    gradient_dtype,
    index_dtypes,
    legacy_arguments,
    defaults,
)
