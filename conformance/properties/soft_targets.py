"""Targets that are probabilities of the classes."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.transform import flattened, in_two, normalised, one_hot, take_rows
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
    "Loss and gradient follow the formula for probabilities of which each row sums to one.",
    slug="normalised-probabilities",
    family="soft_targets",
    formula="sum_c q_c = 1, exactly: l = -sum_c w_c q_c log p_c and its gradient",
    space=SOFT.but(smoothings=(None,)),
    needs=("gradient",),
    share=0.5,
)
def normalised_probabilities(case: Case, trial: Trial) -> None:
    case = normalised(case)
    trial.loss_is_right(case)
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


@states(
    "The loss is linear in the probabilities.",
    slug="linear-in-the-probabilities",
    family="soft_targets",
    formula="l(x, a q + b r) = a l(x, q) + b l(x, r)",
    space=SOFT.but(regimes=(*ORDINARY, "gap"), smoothings=(None,)),
    share=0.5,
)
def linear_in_the_probabilities(case: Case, trial: Trial) -> None:
    one, rest = (case.but(target=q) for q in in_two(case.target, case.class_axis))
    trial.loss_combines(case, ((0.5, one), (1.0, rest)))


@states(
    "Probabilities need not sum to one: twice of them are twice the loss, and twice the gradient.",
    slug="probabilities-need-not-sum-to-one",
    family="soft_targets",
    formula="l(x, 2 q) = 2 l(x, q);  dl/dx = g [p sum_c w_c q_c - w q], whatever the sum",
    space=SOFT.but(regimes=(*ORDINARY, "gap"), smoothings=(None,)),
    needs=("gradient",),
    links=(
        "https://github.com/tensorflow/tensorflow/issues/60314",
        "https://github.com/kvark/meganeura/pull/102",
    ),
    share=0.5,
)
def probabilities_need_not_sum_to_one(case: Case, trial: Trial) -> None:
    twice = case.but(target=case.target * case.target.dtype.type(2))
    trial.loss_combines(twice, ((2.0, case),))
    # By the formula, not as twice another answer: of two wrong ones neither says what is right.
    exact, bound = trial.exact(twice).gradient, trial.truth.gradient_bound(twice)
    assert exact is not None
    trial.within("the gradient of twice the probabilities", trial.gradient(twice), exact, bound)


@states(
    "What is the loss of probability 0 at a class that is masked by -inf?",
    slug="masked-class-with-probability-zero",
    family="soft_targets",
    level="behaviour",
    formula="-q_c log p_c with q_c = 0, log p_c = -inf: 0 x inf",
    space=PLAIN.but(
        regimes=("typical", "confident-wrong"), targets=("probabilities",), min_classes=3
    ),
    links=(
        "https://github.com/google-deepmind/optax/issues/896",
        "https://github.com/OpenBMB/ModelCenter/issues/14",
    ),
    share=0.2,
)
def masked_class_with_probability_zero(case: Case, trial: Trial) -> str:
    row = take_rows(case, np.arange(1))
    label = int(row.target.astype(np.float64).argmax())
    hot = row.but(target=(np.arange(case.classes) == label)[None].astype(case.target.dtype))
    masked = (label + 1) % case.classes
    logits = hot.logits.copy()
    logits[:, masked] = -np.inf
    outcome = trial.outcome(hot.but(logits=logits))
    if isinstance(outcome, str):
        return outcome
    without = hot.but(
        logits=np.delete(hot.logits, masked, 1), target=np.delete(hot.target, masked, 1)
    )
    with np.errstate(invalid="ignore"):
        error = np.abs(outcome.astype(np.float64) - trial.exact(without).loss.hi)
    if (error <= trial.truth.loss_bound(without)).all():
        return "as if the class were not there"
    return f"{float(outcome.astype(np.float64).sum()):g}"


PROPERTIES = (
    probabilities_formula,
    probabilities_gradient,
    normalised_probabilities,
    one_hot_equals_index,
    linear_in_the_probabilities,
    probabilities_need_not_sum_to_one,
    masked_class_with_probability_zero,
)
