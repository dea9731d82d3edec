"""Shapes: how rows are arranged does not matter."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import (
    alone,
    as_volumes,
    first_class,
    flattened,
    normalised,
    rows_of,
    without_rows,
)
from conformance.properties.trial import Trial
from conformance.properties.truth import reduction_of


@states(
    "Logits (N, C, d1, .., dk) have the loss of their rows, laid out flat.",
    slug="spatial-equals-flattened",
    family="shape",
    formula="l(x) = l(x moved to (N d1 .. dk, C))",
    space=EVERYTHING.but(shapes=("spatial",), ignored=("none", "some")),
    needs=("gradient",),
    links=(
        "https://github.com/apache/mxnet/issues/5981",
        "https://github.com/apache/singa/issues/578",
    ),
    share=0.5,
)
def spatial_equals_flattened(case: Case, trial: Trial) -> None:
    flat = flattened(case)
    shaped, plain = trial.loss(case), trial.loss(flat)
    bound = trial.truth.loss_bound(case)
    if reduction_of(case) == "none":
        shaped, bound = shaped.reshape(-1), bound.reshape(-1)
    trial.same("the loss", shaped, plain, bound + trial.truth.loss_bound(flat))
    gradient = trial.gradient(case)
    spread = rows_of(trial.truth.gradient_bound(case), 1) + trial.truth.gradient_bound(flat)
    trial.same("the gradient", rows_of(gradient, 1), trial.gradient(flat), spread)


VOLUMES = EVERYTHING.but(shapes=("spatial",), ignored=("none", "some"), min_rows=2)


@states(
    "Volumes, logits (N, C, d1, d2, d3) of three different lengths, have the loss of their rows.",
    slug="volumes",
    family="shape",
    formula="l as in loss-formula, x (2, C, 2, 3, 4)",
    space=VOLUMES,
    share=0.5,
    links=("https://github.com/apache/mxnet/issues/5981",),
)
def volumes(case: Case, trial: Trial) -> None:
    trial.loss_is_right(as_volumes(normalised(case)))


@states(
    "The gradient of volumes has each row's numbers at its place.",
    slug="volumes-of-the-gradient",
    family="shape",
    formula="dl/dx as in gradient-formula, x (2, C, 2, 3, 4)",
    space=VOLUMES,
    needs=("gradient",),
    share=0.5,
)
def volumes_of_the_gradient(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(as_volumes(normalised(case)))


@states(
    "A single row of logits (C,) has the loss of a batch of one.",
    slug="unbatched-equals-batch-of-one",
    family="shape",
    formula="l(x) = l(x[None], y[None])",
    space=EVERYTHING.but(shapes=("unbatched",), ignored=("none",)),
    needs=("gradient",),
)
def unbatched_equals_batch_of_one(case: Case, trial: Trial) -> None:
    batch = flattened(case)
    single, batched = trial.loss(case), trial.loss(batch)
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(batch).reshape(())
    trial.same("the loss", single, batched.reshape(()), bound)
    spread = 2 * trial.truth.gradient_bound(case)
    one = trial.gradient(batch).reshape(case.logits.shape)
    trial.same("the gradient", trial.gradient(case), one, spread)


@states(
    "A batch of one row keeps its axes: they are not squeezed away.",
    slug="batch-of-one-keeps-its-axis",
    family="shape",
    formula="none: x (1, C): l (1,), dl/dx (1, C);  x (1, C, 1): l (1, 1), dl/dx (1, C, 1)",
    space=EVERYTHING.but(
        regimes=("typical", "ties"),
        ignored=("none", "all"),
        reductions=("none",),
        shapes=("batched", "spatial"),
    ),
    needs=("gradient",),
    about="shape",
    links=(
        "https://github.com/keras-team/keras/pull/22969",
        "https://github.com/keras-team/keras/pull/19838",
    ),
    share=0.5,
)
def batch_of_one_keeps_its_axis(case: Case, trial: Trial) -> None:
    one = alone(case)
    # Both are held against their shapes when they are asked for.
    trial.loss(one)
    trial.gradient(one)


@states(
    "One class alone has the loss 0 and the gradient 0.",
    slug="one-class",
    family="shape",
    formula="C = 1: p = 1, l = -log 1 = 0, dl/dx = p - 1 = 0",
    space=EVERYTHING.but(
        regimes=("typical", "ties", "gap", "common-offset", "large"),
        ignored=("none", "some"),
        ignore_indices=("default", "beyond"),
        shapes=("unbatched", "batched"),
    ),
    needs=("gradient",),
    strong=("typical", "ties"),
    links=("https://github.com/keras-team/keras/issues/17029",),
    share=0.5,
)
def one_class(case: Case, trial: Trial) -> None:
    single = first_class(case)
    trial.loss_is_right(single)
    trial.gradient_is_right(single)


EMPTY = EVERYTHING.but(
    regimes=("typical", "ties"), ignored=("none",), shapes=("batched", "spatial")
)


# Should: an empty sum is 0 and an empty batch is a batch, but who refuses one, loudly, misleads
# nobody.
@states(
    "No rows have no losses, the sum 0, and a gradient without rows.",
    slug="no-rows",
    family="shape",
    level="should",
    formula="N = 0: none: l = [];  sum: l = 0;  dl/dx has the shape of x",
    space=EMPTY.but(reductions=("none", "sum")),
    needs=("gradient",),
    about="shape",
    links=(
        "https://github.com/pytorch/pytorch/issues/15870",
        "https://github.com/pytorch/pytorch/issues/134431",
    ),
    share=0.5,
)
def no_rows(case: Case, trial: Trial) -> None:
    empty = without_rows(case)
    trial.loss_is_right(empty)
    trial.gradient_is_right(empty)


@states(
    "What is the mean of no rows?",
    slug="mean-of-no-rows",
    family="shape",
    level="behaviour",
    formula="N = 0: 0/0",
    space=EMPTY.but(reductions=("mean",), weights=("none",), smoothings=(None,)),
    links=("https://github.com/pytorch/pytorch/issues/51910",),
    share=0.2,
)
def mean_of_no_rows(case: Case, trial: Trial) -> str:
    outcome = trial.outcome(without_rows(case))
    if isinstance(outcome, str):
        return outcome
    return f"{float(outcome.astype(np.float64)):g}" if not outcome.ndim else "no number"


PROPERTIES = (
    spatial_equals_flattened,
    volumes,
    volumes_of_the_gradient,
    unbatched_equals_batch_of_one,
    batch_of_one_keeps_its_axis,
    one_class,
    no_rows,
    mean_of_no_rows,
)
