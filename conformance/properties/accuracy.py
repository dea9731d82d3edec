"""How accurate: each level of accuracy is a property of its own, so that a fault has a name."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import FINITE, ORDINARY
from conformance.cases.space import PLAIN
from conformance.properties.property import states
from conformance.properties.transform import normalised
from conformance.properties.trial import Float64, Trial, rounding
from conformance.spec.double_double import Pair

LOSSES = PLAIN.but(regimes=(*FINITE,), reductions=("none",), shapes=("batched", "spatial"))

BEYOND = 1.25 * 65504
"""A sum that overflows float16, by so much that no order of its roundings keeps it below."""


@states(
    "Each loss is within the bound of the widest class of sane arithmetic.",
    slug="accurate",
    family="accuracy",
    formula="|l - log sum_j exp(x_j - m) - (m - x_y)| <= E_L + u(d_y + l) + ...",
    space=LOSSES,
    links=(
        "https://github.com/pytorch/pytorch/issues/38839",
        "https://github.com/Oneflow-Inc/oneflow/pull/5418",
        "https://github.com/keras-team/tf-keras/issues/242",
    ),
)
def accurate(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case, "accurate")


@states(
    "Over some thousand classes, a 16-bit loss is as accurate as if its sums were kept in float32.",
    slug="accumulates-in-float32",
    family="accuracy",
    level="should",
    formula="the class sum has unit roundoff 2^-24: sigma = (C-1) 2^-24",
    space=LOSSES.but(regimes=tuple(r for r in FINITE if r != "many-rows"), smoothings=(None, 0.1)),
    dtypes=("float16", "bfloat16"),
    links=(
        "https://github.com/pytorch/pytorch/pull/187053",
        "https://github.com/tenstorrent/tt-metal/issues/52131",
    ),
)
def accumulates_in_float32(case: Case, trial: Trial) -> None:
    # Few terms add up well in any format: the classes again and again, until they are many.
    repeats = -(-2048 // case.classes)
    logits = np.concatenate([case.logits] * repeats, axis=1)
    trial.loss_is_right(case.but(logits=logits), "accumulates-in-float32")


@states(
    "An offset common to all logits of a row costs no accuracy.",
    slug="offset-costs-nothing",
    family="accuracy",
    level="should",
    formula="log sum_j exp(x_j - m) + (m - x_y), never (m + log sum_j exp(x_j - m)) - x_y",
    space=LOSSES.but(
        regimes=("common-offset", "row-offsets", "typical", "confident-right", "two-peaks"),
        targets=("indices", "probabilities"),
    ),
    strong=("common-offset", "two-peaks"),
    links=(
        "https://github.com/google-deepmind/optax/issues/1020",
        "https://github.com/pytorch/pytorch/pull/195829",
    ),
)
def offset_costs_nothing(case: Case, trial: Trial) -> None:
    trial.loss_is_right(normalised(case), "offset-costs-nothing")


@states(
    "An offset common to all logits of a row costs the gradient no accuracy either.",
    slug="offset-costs-the-gradient-nothing",
    family="accuracy",
    level="should",
    formula="p_j = exp(x_j - m) / s, never exp(x_j - (m + log s)),  s = sum_k exp(x_k - m)",
    space=LOSSES.but(regimes=("common-offset",), targets=("indices", "probabilities")),
    needs=("gradient",),
    strong=("common-offset",),
    links=("https://github.com/stan-dev/math/issues/1679",),
    share=0.25,
)
def offset_costs_the_gradient_nothing(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(normalised(case), "offset-costs-nothing")


@states(
    "A mean that float16 can represent does not overflow on the way.",
    slug="finite-mean",
    family="accuracy",
    level="should",
    formula="sum_i l_i > 65504 and (1/N) sum_i l_i <= 65504: the mean is finite",
    # Only float16 overflows at losses and batches that people really have.
    space=PLAIN.but(
        regimes=("many-rows",), reductions=("mean",), smoothings=(None, 0.1), weights=("none",)
    ),
    dtypes=("float16",),
    strong=("many-rows",),
    share=0.1,
    links=(
        "https://github.com/huggingface/transformers/issues/10674",
        "https://github.com/pytorch/pytorch/issues/50224",
    ),
)
def finite_mean(case: Case, trial: Trial) -> None:
    # The same rows again and again until the sum of their losses passes the largest number.
    total = float(trial.exact(case.but(reduction="sum", label_smoothing=None)).loss.hi)
    if case.rows < 64 or total < case.rows / 16:
        return  # only losses of ordinary size overflow at an ordinary number of rows
    batch = _repeated(case, int(np.ceil(BEYOND / total)))
    _is_about(f"the mean loss of {batch.rows} rows", batch, trial)


@states(
    "A mean whose weights add up to more than float16 can hold is still finite, and not 0.",
    slug="finite-weighted-mean",
    family="accuracy",
    level="should",
    formula="sum_i w_{y_i} > 65504: sum_i w_{y_i} l_i / sum_i w_{y_i} is finite, and not 0",
    space=PLAIN.but(regimes=("many-rows",), reductions=("mean",), weights=("random",)),
    dtypes=("float16",),
    strong=("many-rows",),
    share=0.1,
    links=("https://github.com/pytorch/pytorch/issues/61523",),
)
def finite_weighted_mean(case: Case, trial: Trial) -> None:
    total = float(trial.exact(case).denominator)
    if case.rows < 64 or total < case.rows / 16:
        return  # as above: an image has as many rows, whose weights are about 1
    batch = _repeated(case, int(np.ceil(BEYOND / total)))
    _is_about(f"the weighted mean loss of {batch.rows} rows", batch, trial)


def _repeated(case: Case, times: int) -> Case:
    """The rows of a case again and again."""
    return case.but(logits=np.tile(case.logits, (times, 1)), target=np.tile(case.target, times))


def _is_about(what: str, case: Case, trial: Trial) -> None:
    """The one number that a case gives did not overflow on the way.

    How accurate it is is asked elsewhere: a sixteenth, half of what the power test adds in float16,
    tells a sum that stopped at 65504 from one that went on.
    """
    loss = float(trial.loss(case).astype(np.float64).sum())
    exact = float(trial.exact(case).loss.hi.sum())
    trial.require(
        abs(loss - exact) <= exact / 16,
        f"{what} is {loss:.4g}, should be about {exact:.4g}",
        kind="wrong" if np.isfinite(loss) else "not-finite",
        got=f"{loss:.6g}",
    )


@states(
    "A float16 loss is finite even where a sum over its classes, however accurate, passes 65504.",
    slug="finite-class-sums",
    family="accuracy",
    level="should",
    formula="sum_j exp(x_j - m) > 65504, or sum_j -log p_j > 65504 with smoothing: l is finite",
    space=PLAIN.but(regimes=("typical", "ties"), smoothings=(None, 0.1), min_classes=2),
    dtypes=("float16",),
    strong=("typical", "ties"),
    share=0.1,
    links=(
        "https://github.com/PFCCLab/PaddleAPITest/pull/478",
        "https://github.com/huggingface/transformers/issues/10674",
    ),
)
def finite_class_sums(case: Case, trial: Trial) -> None:
    # The classes of one row again and again, nearly equal, until the sum of their terms passes the
    # largest number: exp of what lies below the maximum, or with smoothing each class's loss.
    row = case.take(0, slice(0, 1))
    row = row.but(logits=row.logits * np.float16(2.0**-6))
    x = row.logits.astype(np.float64)
    terms = np.exp(x - x.max())
    classes = BEYOND / terms.mean()
    if case.label_smoothing is not None:
        # n classes of loss log n each, nearly: the root of n log n, for which log(BEYOND / 8) = 9.2
        # stands in for log n = 9.1.
        classes = BEYOND / np.log(classes / 8)
    repeats = int(np.ceil(classes / row.classes))
    wide = row.but(logits=np.tile(row.logits, (1, repeats)))
    _is_about(f"the loss of a row of {wide.classes} classes", wide, trial)


@states(
    "float64 logits that differ by less than float32 resolves have losses that differ.",
    slug="no-silent-downcast",
    family="dtype",
    formula="l(x) - l(x') for x'_y = x_y + 2^-36, within the bounds of l(x) and l(x')",
    space=LOSSES.but(regimes=("typical", "ties", "confident-wrong"), min_classes=2),
    dtypes=("float64",),
    links=("https://github.com/pytorch/pytorch/issues/64163",),
)
def no_silent_downcast(case: Case, trial: Trial) -> None:
    # The target's logit of every row moves: by far less than a unit in the last place of float32.
    at_target = np.arange(case.classes) == case.target[..., None]
    moved = case.but(logits=case.logits + 2.0**-36 * np.moveaxis(at_target, -1, 1))
    here, there = trial.exact(case).loss, trial.exact(moved).loss
    hi = there.hi - here.hi
    exact = Pair(hi, ((there.hi - hi) - here.hi) + (there.lo - here.lo))
    bound = trial.truth.loss_bound(case) + trial.truth.loss_bound(moved)
    with np.errstate(invalid="ignore"):
        difference = trial.loss(moved) - trial.loss(case)
    # The two are within a factor of two of each other, or small: their difference rounds once.
    trial.within("the difference of the losses", difference, exact, bound + rounding(hi))


# -- recorded without verdict --------------------------------------------------------------------


def _grade(case: Case, trial: Trial, bound: Float64) -> str:
    """Whether all losses are within a stricter bound than the widest one: a label.

    No answer is judged here, not even a refusal or one beyond the widest bound: ``accurate`` does.
    """
    loss, exact = trial.outcome(case), trial.exact(case).loss
    if isinstance(loss, str):
        return loss
    if loss.shape != exact.hi.shape:
        return "another shape"
    with np.errstate(invalid="ignore"):
        error = np.abs((loss.astype(np.float64) - exact.hi) - exact.lo)
        if (error <= bound).all():
            return "within"
        if not np.any(loss.astype(np.float64)):
            return "nothing left"
        return "beyond" if (error <= trial.truth.loss_bound(case)).all() else "far beyond"


@states(
    "Is a 16-bit loss computed in float32, with only the output rounded?",
    slug="wide",
    family="accuracy",
    level="behaviour",
    formula="|error| <= bound of float32 arithmetic + u l: within; of 16-bit arithmetic: beyond",
    space=LOSSES.but(regimes=(*ORDINARY, "wide")),
    dtypes=("float16", "bfloat16"),
    strong=("confident-wrong",),
)
def wide(case: Case, trial: Trial) -> str:
    return _grade(case, trial, trial.truth.loss_bound(case, "wide"))


@states(
    "Are sums over many classes as accurate as eight running sums, or worse?",
    slug="simd8",
    family="accuracy",
    level="behaviour",
    formula="sigma = (ceil(C/8) + 3) u: within; sigma = (C - 1) u: beyond",
    space=LOSSES.but(regimes=("typical", "confident-wrong"), shapes=("batched",), min_classes=2),
    dtypes=("float64", "float32"),
)
def simd8(case: Case, trial: Trial) -> str:
    # One class, and another again and again: the errors of one running sum all have the same sign.
    one, other = case.logits[:, :1], case.logits[:, 1:2]
    long = np.concatenate([one, np.repeat(other, 4095, axis=1)], axis=1)
    long_case = case.but(logits=long, target=np.minimum(case.target, 1))
    return _grade(long_case, trial, trial.truth.loss_bound(long_case, "simd8"))


@states(
    "Is a tiny loss accurate in its own last places?",
    slug="relative-accuracy-of-tiny-losses",
    family="accuracy",
    level="behaviour",
    formula="log1p(sum_{j != y} exp(x_j - x_y)): within; log(1 + ..), which loses l < u: beyond",
    space=LOSSES.but(regimes=("confident-right", "confident-wrong")),
    links=("https://github.com/keras-team/tf-keras/issues/242",),
)
def relative_accuracy_of_tiny_losses(case: Case, trial: Trial) -> str:
    return _grade(case, trial, trial.truth.relative_bound(case))


PROPERTIES = (
    accurate,
    accumulates_in_float32,
    offset_costs_nothing,
    offset_costs_the_gradient_nothing,
    finite_mean,
    finite_weighted_mean,
    finite_class_sums,
    no_silent_downcast,
    wide,
    simd8,
    relative_accuracy_of_tiny_losses,
)
