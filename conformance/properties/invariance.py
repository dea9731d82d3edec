"""What must not matter: a common shift of the logits, the order of classes and of rows."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import ORDINARY
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.transform import (
    coarse,
    exact_shift,
    flattened,
    permute_classes,
    rng_of,
    take_rows,
)
from conformance.properties.trial import Trial, rounding
from conformance.properties.truth import reduction_of
from conformance.spec.formats import format_of

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
    case = coarse(case)
    shifted = exact_shift(case)
    if shifted is None:
        return
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(shifted)
    trial.same("the loss of the shifted logits", trial.loss(shifted), trial.loss(case), bound)


@states(
    "The order of the classes does not matter.",
    slug="class-permutation",
    family="invariance",
    formula="l(x[P], P(y), w[P]) = l(x, y, w)",
    space=KEPT.but(min_classes=2, regimes=(*KEPT.regimes, "wide")),
    links=("https://github.com/Dao-AILab/flash-attention/issues/1930",),
    share=0.5,
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
    share=0.5,
)
def row_permutation(case: Case, trial: Trial) -> None:
    case = flattened(case)
    order = np.roll(np.arange(case.rows), 1)
    moved = take_rows(case, order)
    here, there = trial.loss(case), trial.loss(moved)
    bound = trial.truth.loss_bound(case)
    if reduction_of(case) == "none":
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
    share=0.5,
)
def splitting_the_batch(case: Case, trial: Trial) -> None:
    cut = case.rows // 2
    parts = [take_rows(case, rows) for rows in np.split(np.arange(case.rows), [cut])]
    losses = [trial.loss(part).astype(np.float64) for part in parts]
    bounds = [trial.truth.loss_bound(part) for part in parts]
    if reduction_of(case) == "none":
        together, bound = np.concatenate(losses), np.concatenate(bounds)
    else:
        with np.errstate(invalid="ignore"):
            together = losses[0] + losses[1]
        # The addition here rounds once, in float64.
        bound = bounds[0] + bounds[1] + rounding(together)
    trial.same("the loss", trial.loss(case), together, bound + trial.truth.loss_bound(case))


@states(
    "A row does not know its neighbours: whatever they hold, NaN and infinities too.",
    slug="a-row-does-not-know-its-neighbours",
    family="invariance",
    formula="none: l_i and dl_i/dx_i depend on x_i and y_i alone",
    space=PLAIN.but(
        regimes=(*ORDINARY, "gap", "large"),
        targets=("indices", "probabilities"),
        weights=("none", "random"),
        smoothings=(None, 0.1),
        min_rows=2,
    ),
    needs=("gradient",),
    links=("https://github.com/manassharma07/crysx_nn/issues/7",),
    share=0.5,
)
def a_row_does_not_know_its_neighbours(case: Case, trial: Trial) -> None:
    wild = case.but(logits=case.logits.copy())
    huge = format_of(case.logits.dtype).largest / 4
    strange = np.array([[np.nan], [-huge], [np.inf], [huge], [-np.inf]])
    wild.logits[:-1] = np.resize(strange, (case.rows - 1, 1)).astype(case.logits.dtype)
    asked = (
        ("loss", trial.loss, trial.truth.loss_bound(case)),
        ("gradient", trial.gradient, trial.truth.gradient_bound(case)),
    )
    for what, ask, bound in asked:
        there, here = ask(wild)[-1:], ask(case)[-1:]
        trial.same(f"the {what} of the last row", there, here, 2 * bound[-1:])


@states(
    "Every row twice: the same losses twice, twice the sum, the same mean.",
    slug="duplicated-rows",
    family="invariance",
    formula="none: l([x, x]) = [l(x), l(x)];  sum: 2 l(x);  mean: l(x)",
    space=KEPT.but(regimes=(*ORDINARY, "gap"), shapes=("batched",)),
    links=("https://github.com/NVIDIA-NeMo/Automodel/issues/3803",),
    share=0.5,
)
def duplicated_rows(case: Case, trial: Trial) -> None:
    twice = take_rows(case, np.tile(np.arange(case.rows), 2))
    loss = trial.loss(case).astype(np.float64)
    bound = trial.truth.loss_bound(case)
    if reduction_of(case) == "none":
        loss, bound = np.tile(loss, 2), np.tile(bound, 2)
    elif reduction_of(case) == "sum":
        loss, bound = 2 * loss, 2 * bound
    bound = bound + trial.truth.loss_bound(twice)
    trial.same("the loss of all rows twice", trial.loss(twice), loss, bound)


@states(
    "The loss is convex: halfway between two logits it is at most halfway between their losses.",
    slug="convex-along-a-segment",
    family="invariance",
    formula="w >= 0: l((a + b)/2) <= (l(a) + l(b))/2",
    space=PLAIN.but(
        regimes=("typical", "confident-wrong", "gap", "two-peaks"),
        weights=("none", "random"),
        smoothings=(None, 0.1),
        reductions=("none", "mean", "sum"),
    ),
    links=("https://github.com/Oneflow-Inc/oneflow/pull/5418",),
    share=0.5,
)
def convex_along_a_segment(case: Case, trial: Trial) -> None:
    start = coarse(case)
    end = start.but(logits=np.roll(start.logits, 1, case.class_axis))
    halves = [c.logits.astype(np.float64) / 2 for c in (start, end)]
    middle = start.but(logits=(halves[0] + halves[1]).astype(case.logits.dtype))
    cases = (middle, start, end)
    losses = [trial.loss(c) for c in cases]
    bounds = [trial.truth.loss_bound(c) for c in cases]
    with np.errstate(over="ignore", invalid="ignore"):
        chord = losses[1].astype(np.float64) / 2 + losses[2].astype(np.float64) / 2
        # The addition here rounds once, in float64.
        off = bounds[0] + bounds[1] / 2 + bounds[2] / 2 + rounding(chord)
    trial.at_least("half of the losses at the ends", chord, losses[0].astype(np.float64), off)
    # A loss of 0 is convex too.
    for c, loss, bound in zip(cases, losses, bounds, strict=True):
        trial.within("the loss", loss, trial.exact(c).loss, bound)


PROPERTIES = (
    shift_invariance,
    class_permutation,
    row_permutation,
    splitting_the_batch,
    a_row_does_not_know_its_neighbours,
    duplicated_rows,
    convex_along_a_segment,
)
