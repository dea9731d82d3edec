"""The gradient as a linear map from cotangents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.transform import calm, rows_of
from conformance.properties.trial import Trial, rounding
from conformance.properties.truth import reduction_of
from conformance.spec.bounds import difference_bound
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
    "A cotangent of 0 gives a gradient of 0.",
    slug="zero-cotangent",
    family="gradient",
    formula="vjp(0) = 0",
    space=PLAIN.but(
        regimes=("typical",),
        targets=("indices", "probabilities"),
        reductions=("none", "mean", "sum"),
    ),
    needs=("gradient",),
    share=0.25,
)
def zero_cotangent(case: Case, trial: Trial) -> None:
    assert case.cotangent is not None
    trial.gradient_is_right(calm(case).but(cotangent=np.zeros_like(case.cotangent)))


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
        got=str(sums[np.argmax(over)]),
    )
    # A gradient of zeros sums to zero too.
    exact = trial.exact(case).gradient
    assert exact is not None
    trial.within("the gradient", gradient, exact, trial.truth.gradient_bound(case))


@states(
    "At confident predictions the small entries of the gradient are relatively accurate.",
    slug="confident-gradient",
    family="gradient",
    formula="p_y -> 1: dl/dx_c = p_c up to a few u p_c, and dl/dx_y = p_y - 1 up to a few u",
    space=EVERYTHING.but(
        regimes=("confident-right", "gap"),
        weights=("none", "random"),
        ignored=("none",),
        smoothings=(None,),
        targets=("indices",),
        min_classes=2,
    ),
    needs=("gradient",),
    strong=("confident-right", "gap"),
    links=(
        "https://github.com/FluxML/NNlib.jl/issues/68",
        "https://github.com/clab/dynet/issues/218",
        "https://github.com/Oneflow-Inc/oneflow/pull/5418",
    ),
    share=0.5,
)
def confident_gradient(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(case)


@states(
    "Central differences of the implementation's own float64 loss agree with its gradient.",
    slug="central-differences",
    family="gradient",
    formula="[l(x + hv) - l(x - hv)] / 2h = <dl/dx, v> + O(h^2)",
    space=EVERYTHING.but(regimes=ORDINARY, ignored=("none", "some", "all-but-one"), min_classes=2),
    needs=("gradient",),
    dtypes=("float64",),  # narrower losses are too coarse to be divided by h
    strong=("typical", "ties", "confident-wrong"),
    links=("https://github.com/PaddlePaddle/Paddle/issues/5395",),
    share=0.5,
)
def central_differences(case: Case, trial: Trial) -> None:
    v = case.tangent
    gradient = trial.gradient(case).astype(np.float64)
    ahead, behind = case.but(logits=case.logits + STEP * v), case.but(logits=case.logits - STEP * v)
    g = np.ones(()) if case.cotangent is None else case.cotangent
    with np.errstate(over="ignore", invalid="ignore"):
        slope = along(case, gradient * v)
        difference = g * ((trial.loss(ahead) - trial.loss(behind)) / (2 * STEP))
        bound = along(case, trial.truth.gradient_bound(case) * np.abs(v))
        bound += along(case, np.abs(gradient * v)) * case.logits.size * 2.0**-52
        of_losses = trial.truth.loss_bound(ahead) + trial.truth.loss_bound(behind)
        of_step = difference_bound(trial.exact(case), v, STEP)
        bound += np.abs(g) * (of_losses / (2 * STEP) + of_step)
        bound = np.where(np.isnan(bound), np.inf, bound) + 3 * rounding(difference)
    trial.within("the difference quotient", difference, Pair(slope, np.zeros_like(slope)), bound)


STEP = 2.0**-16
"""h: at these regimes the losses' bounds over h and the third derivative times h^2 are both about
2^-30."""


def along(case: Case, products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of products: of each row's where each has a loss, else of all; of the loss's shape."""
    if reduction_of(case) == "none":
        return np.asarray(products.sum(case.class_axis))
    return np.asarray(products.sum())


@states(
    "The gradient is that of its own forward pass, whatever passes lie between, and asked twice.",
    slug="gradient-of-its-own-forward-pass",
    family="gradient",
    formula="f(x), f(-x), vjp at -x, vjp at x, vjp at x again: the last is dl/dx",
    space=EVERYTHING.but(regimes=ORDINARY, targets=("indices",), ignored=("none", "some")),
    needs=("gradient",),
    links=(
        "https://github.com/unslothai/unsloth/issues/5002",
        "https://github.com/linkedin/Liger-Kernel/pull/1251",
    ),
    share=0.5,
)
def gradient_of_its_own_forward_pass(case: Case, trial: Trial) -> None:
    exact = trial.exact(case).gradient
    assert exact is not None
    again = trial.ask("gradient after others", case)
    trial.within("the gradient, asked again", again, exact, trial.truth.gradient_bound(case))


SCALE = 2.0**15


@states(
    "The gradient of a float16 loss that is scaled up does not overflow on the way.",
    slug="loss-scaling",
    family="gradient",
    level="should",
    formula="g = 2^15: |g w_y (p - onehot_y) / sum_i w_{y_i}| <= 2^15 is finite, if g w_y is not",
    space=PLAIN.but(
        regimes=ORDINARY, weights=("random",), reductions=("mean",), min_rows=2, min_classes=2
    ),
    needs=("gradient",),
    dtypes=("float16",),
    share=0.5,
    links=("https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling",),
)
def loss_scaling(case: Case, trial: Trial) -> None:
    unscaled = case.but(cotangent=np.ones((), case.logits.dtype))
    scaled = case.but(cotangent=np.full((), SCALE, case.logits.dtype))
    exact = trial.exact(scaled).gradient
    assert exact is not None  # solutions are made with their gradient
    # Scaling by a power of two is exact where nothing overflows: so does the bound scale.
    bound = SCALE * trial.truth.gradient_bound(unscaled)
    trial.within("the gradient", trial.gradient(scaled), exact, bound)


PROPERTIES = (
    linear_in_the_cotangent,
    zero_cotangent,
    gradient_rows_sum_to_zero,
    confident_gradient,
    central_differences,
    gradient_of_its_own_forward_pass,
    loss_scaling,
)
