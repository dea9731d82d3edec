"""Finite for finite, and what infinities and NaN must do."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import FINITE
from conformance.cases.space import PLAIN
from conformance.properties.property import states
from conformance.properties.transform import rng_of
from conformance.properties.trial import Trial
from conformance.spec.formats import format_of

EACH = PLAIN.but(shapes=("batched", "spatial"))
MASKED = EACH.but(regimes=("masked",))


@states(
    "Finite logits give a finite loss and a finite gradient, up to the range of the dtype.",
    slug="finite-for-finite",
    family="stability",
    formula="|x_j| < inf: l < inf and |dl/dx_j| < inf",
    space=EACH.but(regimes=tuple(r for r in FINITE if r not in ("wide", "many-rows"))),
    needs=("gradient",),
    links=(
        "https://github.com/onnx/onnx/pull/8423",
        "https://github.com/FluxML/NNlib.jl/issues/68",
        "https://github.com/tenstorrent/tt-metal/issues/52131",
    ),
)
def finite_for_finite(case: Case, trial: Trial) -> None:
    exact = trial.exact(case)
    assert exact.gradient is not None
    loss, gradient = trial.loss(case), trial.gradient(case)
    trial.within("the loss", loss, exact.loss, trial.truth.loss_bound(case))
    trial.within("the gradient", gradient, exact.gradient, trial.truth.gradient_bound(case))
    # Where digits are lost the bounds are wide, up to infinite; finite is what remains to ask.
    in_range = np.abs(exact.loss.hi) <= format_of(case.logits.dtype).largest
    for what, got, there in (("the loss", loss, in_range), ("the gradient", gradient, True)):
        finite = np.isfinite(got.astype(np.float64)) | ~np.asarray(there)
        trial.require(finite.all(), f"{what} is not finite", kind="not-finite", got=str(got))


@states(
    "-inf at classes other than the target (a mask) removes them: loss and gradient stay finite.",
    slug="masked-classes",
    family="special_values",
    formula="x_c = -inf, c != y: p_c = 0, dl/dx_c = 0, the rest as if c were not there",
    space=MASKED,
    needs=("gradient",),
    strong=("masked",),
    links=(
        "https://github.com/Dao-AILab/flash-attention/issues/1930",
        "https://github.com/google-deepmind/optax/pull/1762",
    ),
)
def masked_classes(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "-inf at the target gives the loss +inf.",
    slug="masked-target-is-infinite",
    family="special_values",
    formula="x_y = -inf: p_y = 0, l = -log 0 = +inf",
    space=EACH.but(regimes=("typical", "ties", "two-peaks"), min_classes=2),
)
def masked_target_is_infinite(case: Case, trial: Trial) -> None:
    logits = np.moveaxis(case.logits.copy(), 1, -1)
    flat, labels = logits.reshape(-1, case.classes), case.target.reshape(-1)
    flat[0, labels[0]] = -np.inf
    shaped = flat.reshape(logits.shape)
    masked = case.but(logits=np.ascontiguousarray(np.moveaxis(shaped, -1, 1)))
    trial.loss_is_right(masked)


@states(
    "NaN is not swallowed: a row with NaN among its logits has the loss NaN, and no other row has.",
    slug="nan-is-kept",
    family="special_values",
    formula="x_c = NaN: l = NaN",
    space=EACH.but(regimes=("typical", "ties", "two-peaks")),
    links=("https://github.com/pytorch/pytorch/issues/188680",),
)
def nan_is_kept(case: Case, trial: Trial) -> None:
    logits = np.moveaxis(case.logits.copy(), 1, -1)
    flat = logits.reshape(-1, case.classes)
    flat[-1, rng_of(case).integers(case.classes)] = np.nan
    shaped = flat.reshape(logits.shape)
    trial.loss_is_right(case.but(logits=np.ascontiguousarray(np.moveaxis(shaped, -1, 1))))


PROPERTIES = (finite_for_finite, masked_classes, masked_target_is_infinite, nan_is_kept)
