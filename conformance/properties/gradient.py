"""The gradient as a linear map from cotangents."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import rows_of
from conformance.properties.trial import Trial, rounding
from conformance.spec.double_double import Pair


@states(
    "The gradient is linear in the cotangent: each row is scaled by its own, zeros and signs kept.",
    slug="linear-in-the-cotangent",
    family="gradient",
    formula="vjp(g) = g vjp(1), row by row",
    space=EVERYTHING.but(ignored=("none", "some")),
    needs=("gradient",),
    links=(
        "https://github.com/linkedin/Liger-Kernel/issues/968",
        "https://github.com/ROCm/TransformerEngine/pull/336",
    ),
)
def linear_in_the_cotangent(case: Case, trial: Trial) -> None:
    assert case.cotangent is not None
    one = case.but(cotangent=np.ones_like(case.cotangent))
    scaled, plain = trial.gradient(case), trial.gradient(one)
    trial.require(
        scaled.shape == plain.shape == case.logits.shape,
        f"the gradient has shape {plain.shape}, should be {case.logits.shape}",
        kind="shape",
    )
    g = case.cotangent.astype(np.float64)
    if g.ndim:
        g = np.expand_dims(g, case.class_axis)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = g * plain.astype(np.float64)
        # The product here rounds once, in float64.
        bound = np.abs(g) * trial.truth.gradient_bound(one) + trial.truth.gradient_bound(case)
        bound = np.where(np.isnan(bound), np.inf, bound) + rounding(expected)
    trial.within("the gradient", scaled, Pair(expected, np.zeros_like(expected)), bound)


@states(
    "The gradient of each row sums to zero over the classes.",
    slug="gradient-rows-sum-to-zero",
    family="gradient",
    formula="sum_c dl/dx_c = 0",
    space=EVERYTHING.but(ignored=("none", "some"), min_classes=2),
    needs=("gradient",),
    links=("https://github.com/NVIDIA/TransformerEngine/pull/2139",),
)
def gradient_rows_sum_to_zero(case: Case, trial: Trial) -> None:
    gradient = trial.gradient(case)
    trial.require(
        gradient.shape == case.logits.shape,
        f"the gradient has shape {gradient.shape}, should be {case.logits.shape}",
        kind="shape",
    )
    rows = rows_of(gradient, case.class_axis).astype(np.float64)
    limits = rows_of(trial.truth.gradient_bound(case), case.class_axis)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = rows.sum(axis=1)
        bound = limits.sum(axis=1) + rows.shape[1] * 2.0**-52 * np.abs(rows).sum(axis=1)
    finite = np.isfinite(bound)
    over = finite & ~(np.abs(sums) <= bound)
    trial.require(
        not over.any(),
        f"row {int(np.argmax(over))} of the gradient sums to {sums[np.argmax(over)]:.3g}, "
        f"should be 0 ± {bound[np.argmax(over)]:.2g}",
        got=f"{sums[np.argmax(over)]!r}",
    )
    # A gradient of zeros sums to zero too.
    exact = trial.exact(case).gradient
    assert exact is not None
    trial.within("the gradient", gradient, exact, trial.truth.gradient_bound(case))


PROPERTIES = (linear_in_the_cotangent, gradient_rows_sum_to_zero)
