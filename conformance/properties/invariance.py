"""What must not matter: a common shift of the logits, the order of classes and of rows."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import (
    exact_shift,
    flattened,
    permute_classes,
    rng_of,
    take_rows,
)
from conformance.properties.trial import Trial, rounding
from conformance.properties.truth import reduction_of

KEPT = EVERYTHING.but(ignored=("none", "some"))


@states(
    "A constant added to all logits changes nothing (where the addition is exact).",
    slug="shift-invariance",
    family="invariance",
    formula="l(x + a) = l(x)",
    space=KEPT,
    strong=("typical", "confident-wrong", "ties"),
    links=(
        "https://github.com/pytorch/pytorch/issues/38839",
        "https://github.com/pytorch/pytorch/pull/195829",
    ),
)
def shift_invariance(case: Case, trial: Trial) -> None:
    case = _coarse(case)
    shifted = exact_shift(case)
    if shifted is None:
        return
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(shifted)
    trial.same("the loss of the shifted logits", trial.loss(shifted), trial.loss(case), bound)


def _coarse(case: Case) -> Case:
    """Logits on a coarse grid, so that adding a constant of their size is exact."""
    x = case.logits.astype(np.float64)
    scale = np.max(np.abs(x), initial=0.0)
    if not np.isfinite(scale) or scale == 0:
        return case
    bits = {"float64": 40, "float32": 16, "float16": 7, "bfloat16": 5}[case.dtype]
    grid = 2.0 ** (np.floor(np.log2(scale)) + 1 - bits)
    return case.but(logits=(np.rint(x / grid) * grid).astype(case.logits.dtype))


@states(
    "The order of the classes does not matter.",
    slug="class-permutation",
    family="invariance",
    formula="l(x[P], P(y), w[P]) = l(x, y, w)",
    space=KEPT.but(min_classes=2, regimes=(*KEPT.regimes, "wide")),
    links=("https://github.com/Dao-AILab/flash-attention/issues/1930",),
)
def class_permutation(case: Case, trial: Trial) -> None:
    order = rng_of(case).permutation(case.classes)
    moved = permute_classes(case, order)
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(moved)
    trial.same("the loss of permuted classes", trial.loss(moved), trial.loss(case), bound)


@states(
    "The order of the rows does not matter.",
    slug="row-permutation",
    family="invariance",
    formula="l(x[P], y[P]) = l(x, y)[P]",
    space=KEPT.but(shapes=("batched",), min_rows=2),
    links=("https://github.com/NVIDIA-NeMo/Automodel/issues/3803",),
)
def row_permutation(case: Case, trial: Trial) -> None:
    case = flattened(case)
    order = np.roll(np.arange(case.rows), 1)
    moved = take_rows(case, order)
    here, there = trial.loss(case), trial.loss(moved)
    bound = trial.truth.loss_bound(case)
    if reduction_of(case) == "none":
        trial.require(
            here.shape == (case.rows,),
            f"the loss has shape {here.shape}, should be {(case.rows,)}",
            kind="shape",
        )
        here, bound = here[order], bound[order]
    trial.same("the loss of permuted rows", there, here, bound + trial.truth.loss_bound(moved))


@states(
    "No row's loss depends on its neighbours: the parts of a batch have the losses of the whole.",
    slug="splitting-the-batch",
    family="invariance",
    formula="none: l(x) = (l(x[:k]), l(x[k:]));  sum: l(x) = l(x[:k]) + l(x[k:])",
    space=KEPT.but(shapes=("batched",), reductions=("none", "sum"), min_rows=2),
    links=(
        "https://github.com/manassharma07/crysx_nn/issues/7",
        "https://github.com/NVIDIA-NeMo/Automodel/issues/3803",
    ),
)
def splitting_the_batch(case: Case, trial: Trial) -> None:
    cut = case.rows // 2
    parts = [take_rows(case, rows) for rows in np.split(np.arange(case.rows), [cut])]
    losses = [trial.loss(part).astype(np.float64) for part in parts]
    bounds = [trial.truth.loss_bound(part) for part in parts]
    if reduction_of(case) == "none":
        for part, loss in zip(parts, losses, strict=True):
            trial.require(
                loss.shape == (part.rows,),
                f"the loss has shape {loss.shape}, should be {(part.rows,)}",
                kind="shape",
            )
        together, bound = np.concatenate(losses), np.concatenate(bounds)
    else:
        with np.errstate(invalid="ignore"):
            together = losses[0] + losses[1]
        # The addition here rounds once, in float64.
        bound = bounds[0] + bounds[1] + rounding(together)
    trial.same("the loss", trial.loss(case), together, bound + trial.truth.loss_bound(case))


PROPERTIES = (shift_invariance, class_permutation, row_permutation, splitting_the_batch)
