"""Derivatives beyond the gradient: forward mode, second order, and of the probabilities."""

from __future__ import annotations

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY, SMALL
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.trial import Trial

KEPT = EVERYTHING.but(ignored=("none", "some", "all-but-one"))


@states(
    "Forward mode gives what the gradient gives: the derivative along any direction.",
    slug="forward-mode",
    family="gradient",
    formula="jvp(v) = <dl/dx, v>",
    # A uniform target (e = 1) has <p, v> and <q', v> nearly cancel: no comparison in 16 bits.
    space=KEPT.but(regimes=SMALL, smoothings=(None, 0.1, 0.5, 0.0), min_classes=2),
    needs=("forward mode",),
    share=0.5,
)
def forward_mode(case: Case, trial: Trial) -> None:
    trial.within("the derivative along v", trial.ask("jvp", case), *trial.truth.jvp(case))


@states(
    "The Hessian times a vector equals the formula: a gradient can itself be differentiated.",
    slug="hessian-vector-product",
    family="gradient",
    formula="H v = g Q [p * v - p <p, v>], Q = sum_c k_c, 0 where y = ignore_index",
    space=KEPT.but(regimes=SMALL, min_classes=2),
    needs=("second order",),
    strong=("two-peaks",),  # p near 1/2, v of both signs: nothing cancels in v - <p, v>
    links=(
        "https://github.com/tensorflow/tensorflow/issues/5876",
        "https://github.com/pytorch/pytorch/issues/2210",
        "https://github.com/pytorch/pytorch/issues/64256",
    ),
    share=0.5,
)
def hessian_vector_product(case: Case, trial: Trial) -> None:
    trial.within("the Hessian times v", trial.ask("hvp", case), *trial.truth.hvp(case))


@states(
    "The gradient with respect to target probabilities, where it is promised, equals the formula.",
    slug="gradient-of-the-probabilities",
    family="gradient",
    formula="dl/dq_c = -g (1-e) w_c log p_c",
    space=EVERYTHING.but(regimes=ORDINARY, targets=("probabilities",), ignored=("none",)),
    needs=("target gradient",),
    share=0.5,
)
def gradient_of_the_probabilities(case: Case, trial: Trial) -> None:
    gradient = trial.ask("target gradient", case)
    trial.within("the gradient of the target", gradient, *trial.truth.target_gradient(case))


PROPERTIES = (forward_mode, hessian_vector_product, gradient_of_the_probabilities)
