"""Targets that are probabilities of the classes."""

from __future__ import annotations

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import flattened, one_hot
from conformance.properties.trial import Trial

SOFT = EVERYTHING.but(targets=("probabilities",), ignored=("none",))


@states(
    "Probabilities as targets follow the formula; rows need not sum to one; mean divides by N.",
    slug="probabilities-formula",
    family="soft_targets",
    formula="l = -sum_c w_c [(1-e) q_c + e/C] log p_c",
    space=SOFT,
    links=("https://github.com/pytorch/pytorch/pull/59824",),
)
def probabilities_formula(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)


@states(
    "The gradient for probabilities follows the formula, also for rows that do not sum to one.",
    slug="probabilities-gradient",
    family="soft_targets",
    formula="dl/dx = g [p sum_c w_c q_c - w q]",
    space=SOFT,
    needs=("gradient",),
)
def probabilities_gradient(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(case)


@states(
    "A one-hot row of probabilities is a class index (no weights: mean divides differently).",
    slug="one-hot-equals-index",
    family="soft_targets",
    formula="l(x, onehot_y) = l(x, y)",
    space=EVERYTHING.but(weights=("none",), ignored=("none",), targets=("indices",)),
    needs=("probabilities",),
    links=("https://github.com/google-deepmind/optax/issues/1335",),
)
def one_hot_equals_index(case: Case, trial: Trial) -> None:
    flat, hot = flattened(case), one_hot(case)
    bound = trial.truth.loss_bound(flat) + trial.truth.loss_bound(hot)
    trial.same("the loss of one-hot targets", trial.loss(hot), trial.loss(flat), bound)


PROPERTIES = (probabilities_formula, probabilities_gradient, one_hot_equals_index)
