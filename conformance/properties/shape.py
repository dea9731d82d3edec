"""Shapes: how rows are arranged does not matter."""

from __future__ import annotations

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import flattened, rows_of
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
)
def spatial_equals_flattened(case: Case, trial: Trial) -> None:
    flat = flattened(case)
    shaped, plain = trial.loss(case), trial.loss(flat)
    bound = trial.truth.loss_bound(case)
    trial.require(
        shaped.shape == bound.shape,
        f"the loss has shape {shaped.shape}, should be {bound.shape}",
        kind="shape",
    )
    if reduction_of(case) == "none":
        shaped, bound = shaped.reshape(-1), bound.reshape(-1)
    trial.same("the loss", shaped, plain, bound + trial.truth.loss_bound(flat))
    gradient = trial.gradient(case)
    trial.require(
        gradient.shape == case.logits.shape,
        f"the gradient has shape {gradient.shape}, should be {case.logits.shape}",
        kind="shape",
    )
    spread = rows_of(trial.truth.gradient_bound(case), 1) + trial.truth.gradient_bound(flat)
    trial.same("the gradient", rows_of(gradient, 1), trial.gradient(flat), spread)


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
    trial.require(
        single.shape == (),
        f"the loss of one row has shape {single.shape}, should be ()",
        kind="shape",
    )
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(batch).reshape(())
    trial.require(
        batched.size == 1, f"the loss of a batch of one has shape {batched.shape}", kind="shape"
    )
    trial.same("the loss", single, batched.reshape(()), bound)
    spread = 2 * trial.truth.gradient_bound(case)
    one = trial.gradient(batch)
    trial.require(
        one.shape == batch.logits.shape,
        f"the gradient has shape {one.shape}, should be {batch.logits.shape}",
        kind="shape",
    )
    trial.same("the gradient", trial.gradient(case), one.reshape(case.logits.shape), spread)


PROPERTIES = (spatial_equals_flattened, unbatched_equals_batch_of_one)
