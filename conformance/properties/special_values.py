"""Finite for finite, and what infinities and NaN must do."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import FINITE
from conformance.cases.space import PLAIN
from conformance.properties.asking import Array
from conformance.properties.property import states
from conformance.properties.transform import alone, calm, rng_of, rows_of, shaped_as
from conformance.properties.trial import Trial
from conformance.spec.formats import format_of

EACH = PLAIN.but(shapes=("batched", "spatial"))
MASKED = EACH.but(regimes=("masked",))

SPECIAL = EACH.but(regimes=("typical", "ties", "two-peaks"), reductions=("none", "mean", "sum"))
CHOICE = EACH.but(regimes=("typical",), min_classes=2)


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
    _right_and_finite(case, trial)


def _right_and_finite(case: Case, trial: Trial) -> None:
    """Loss and gradient are within their bounds; where these are infinite, they are finite."""
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
    "-inf over whole tiles of classes removes them: loss and gradient stay finite.",
    slug="masked-tiles",
    family="special_values",
    formula="x_c = -inf for c < y - 1, or for c > y + 1: the rest as if these c were not there",
    space=PLAIN.but(regimes=("masked-tiles",), min_classes=3),
    needs=("gradient",),
    strong=("masked-tiles",),
    share=0.1,
)
def masked_tiles(case: Case, trial: Trial) -> None:
    _right_and_finite(case, trial)


def _with(case: Case, row: int, place: int | slice, value: float) -> Case:
    """The case, calm, with special logits in one row: what goes wrong does so because of them."""
    rows = rows_of(calm(case).logits, case.class_axis)
    rows[row, place] = value
    return case.but(logits=shaped_as(rows, case))


def _are_special(what: str, got: Array, expected: Array, trial: Trial) -> None:
    """NaN where NaN belongs, an infinity where that one does, and finite elsewhere."""
    # What is finite is left open: it has properties of its own.
    kinds = [np.where(np.isfinite(x), 0.0, x) for x in (got.astype(np.float64), expected)]
    trial.identical(f"{what} (0 for finite)", kinds[0], kinds[1])


@states(
    "-inf at classes other than the target leaves forward mode finite, too.",
    slug="masked-classes-in-forward-mode",
    family="special_values",
    formula="x_c = -inf, c != y: p_c = 0, v_c has no part in jvp(v)",
    space=MASKED.but(min_classes=2),
    needs=("forward mode",),
    strong=("masked",),
    links=("https://github.com/google-deepmind/optax/pull/1762",),
)
def masked_classes_in_forward_mode(case: Case, trial: Trial) -> None:
    trial.within("the derivative along v", trial.ask("jvp", case), *trial.truth.jvp(case))


@states(
    "-inf at the target gives the loss +inf, and every other row a finite one.",
    slug="masked-target-is-infinite",
    family="special_values",
    formula="x_y = -inf: p_y = 0, l = -log 0 = +inf",
    space=SPECIAL.but(min_classes=2),
    about="special",
)
def masked_target_is_infinite(case: Case, trial: Trial) -> None:
    masked = _with(case, 0, int(case.target.flat[0]), -np.inf)
    _are_special("the loss", trial.loss(masked), trial.exact(masked).loss.hi, trial)


@states(
    "NaN is not swallowed: a row with NaN among its logits has the loss NaN, and no other row has.",
    slug="nan-is-kept",
    family="special_values",
    formula="x_c = NaN: l = NaN",
    space=SPECIAL.but(targets=("indices", "probabilities")),
    about="special",
    links=("https://github.com/pytorch/pytorch/issues/188680",),
)
def nan_is_kept(case: Case, trial: Trial) -> None:
    dirty = _with(case, -1, int(rng_of(case).integers(case.classes)), np.nan)
    _are_special("the loss", trial.loss(dirty), trial.exact(dirty).loss.hi, trial)


@states(
    "A NaN logit makes the gradient of its row NaN and leaves that of the other rows alone.",
    slug="nan-stays-in-its-row",
    family="special_values",
    formula="x_ic = NaN: dl/dx_i = NaN, dl/dx_k the same for k != i",
    space=SPECIAL.but(targets=("indices", "probabilities"), reductions=("none",), min_rows=2),
    needs=("gradient",),
    links=("https://github.com/intel/torch-xpu-ops/pull/5022",),
)
def nan_stays_in_its_row(case: Case, trial: Trial) -> None:
    row = int(rng_of(case).integers(case.rows))
    clean = calm(case).but(cotangent=None)
    dirty = _with(clean, row, 0, np.nan)
    expected, got = trial.gradient(clean), trial.gradient(dirty)
    before, after = (rows_of(x, case.class_axis) for x in (expected, got))
    other = np.arange(case.rows) != row
    bound = 2 * rows_of(trial.truth.gradient_bound(clean), case.class_axis)
    trial.same("the gradient of the other rows", after[other], before[other], bound[other])
    trial.require(
        np.isnan(after[row].astype(np.float64)).all(),
        "the gradient of a row with NaN is not NaN",
        got=str(after[row]),
    )


@states(
    "Rows of a class whose weight is NaN have the loss NaN, and so have their sum and mean.",
    slug="nan-weight-is-kept",
    family="special_values",
    formula="w_y = NaN: l = w_y (-log p_y) = NaN",
    space=SPECIAL.but(weights=("random",)),
    about="special",
)
def nan_weight_is_kept(case: Case, trial: Trial) -> None:
    assert case.weight is not None
    # Rows of other classes are left out: 0 NaN, in a sum over all classes, is NaN there too.
    label, weight = int(case.target.flat[0]), case.weight.copy()
    weight[label] = np.nan
    alike = calm(case).but(target=np.full_like(case.target, label), weight=weight)
    shape = trial.truth.loss_bound(case).shape
    _are_special("the loss", trial.loss(alike), np.full(shape, np.nan), trial)


@states(
    "NaN among the probabilities of a row gives it, and no other row, the loss NaN.",
    slug="nan-probability-is-kept",
    family="special_values",
    formula="q_c = NaN: l = -sum_c q_c log p_c = NaN",
    space=SPECIAL.but(targets=("probabilities",), reductions=("none",), min_classes=2),
    about="special",
)
def nan_probability_is_kept(case: Case, trial: Trial) -> None:
    probabilities = rows_of(case.target, case.class_axis).copy()
    probabilities[-1, rng_of(case).integers(case.classes)] = np.nan
    dirty = calm(case).but(target=shaped_as(probabilities, case))
    expected = np.zeros(case.rows)
    expected[-1] = np.nan
    loss = trial.loss(dirty)
    _are_special("the loss", loss, expected.reshape(trial.truth.loss_bound(case).shape), trial)


# -- choice points -------------------------------------------------------------------------------


def _label(one_row: Case, trial: Trial) -> str:
    """What a row of special logits, alone in its batch, gets."""
    outcome = trial.outcome(one_row)
    if isinstance(outcome, str):
        return outcome
    value = float(outcome.reshape(-1)[0].astype(np.float64)) if outcome.size else np.nan
    return "a finite number" if np.isfinite(value) and value else f"{value:g}"


@states(
    "What is the loss when the logit of another class than the target is +inf?",
    slug="infinite-logit",
    family="special_values",
    level="behaviour",
    formula="x_c = +inf, c != y: inf - inf, or p_y = 0",
    space=CHOICE,
    links=("https://github.com/ml-explore/mlx/issues/576",),
)
def infinite_logit(case: Case, trial: Trial) -> str:
    row = alone(case)
    return _label(_with(row, 0, (int(row.target.flat[0]) + 1) % row.classes, np.inf), trial)


@states(
    "What is the loss when the logit of the target is +inf?",
    slug="infinite-target-logit",
    family="special_values",
    level="behaviour",
    formula="x_y = +inf: inf - inf, or p_y = 1",
    space=CHOICE,
)
def infinite_target_logit(case: Case, trial: Trial) -> str:
    row = alone(case)
    return _label(_with(row, 0, int(row.target.flat[0]), np.inf), trial)


@states(
    "What is the loss of a row whose logits are all -inf?",
    slug="all-classes-masked",
    family="special_values",
    level="behaviour",
    formula="x_c = -inf for every c: 0/0",
    space=CHOICE,
    links=(
        "https://github.com/ml-explore/mlx/issues/1467",
        "https://github.com/tenstorrent/tt-metal/issues/56056",
    ),
)
def all_classes_masked(case: Case, trial: Trial) -> str:
    return _label(_with(alone(case), 0, slice(None), -np.inf), trial)


@states(
    "What is the gradient of a row whose target has the logit -inf?",
    slug="masked-target-gradient",
    family="special_values",
    level="behaviour",
    formula="x_y = -inf: p - onehot_y, or NaN as is inf - inf",
    space=CHOICE,
    needs=("gradient",),
)
def masked_target_gradient(case: Case, trial: Trial) -> str:
    row = alone(case).but(cotangent=None)
    masked = _with(row, 0, int(row.target.flat[0]), -np.inf)
    gradient = trial.gradient(masked).astype(np.float64)
    if np.isfinite(gradient).all():
        return "finite" if gradient.any() else "0"
    return "nan" if np.isnan(gradient).any() else "infinite"


PROPERTIES = (
    finite_for_finite,
    masked_classes,
    masked_tiles,
    masked_classes_in_forward_mode,
    masked_target_is_infinite,
    nan_is_kept,
    nan_stays_in_its_row,
    nan_weight_is_kept,
    nan_probability_is_kept,
    infinite_logit,
    infinite_target_logit,
    all_classes_masked,
    masked_target_gradient,
)
