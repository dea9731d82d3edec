"""Ignored rows: as if they were not there."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import SMALL
from conformance.cases.space import EVERYTHING
from conformance.properties.property import states
from conformance.properties.transform import kept, rows_of, take_rows
from conformance.properties.trial import Trial
from conformance.properties.truth import reduction_of

SOME_IGNORED = EVERYTHING.but(
    targets=("indices",), ignored=("some", "all-but-one"), shapes=("batched", "spatial"), min_rows=2
)


@states(
    "Rows that are ignored count as if they were not there: the loss is that of the other rows.",
    slug="ignored-rows-are-dropped",
    family="ignore_index",
    formula="l(x, y) = l(x[keep], y[keep]),  keep = (y != ignore_index)",
    space=SOME_IGNORED,
    links=(
        "https://github.com/pytorch/pytorch/issues/73205",
        "https://github.com/PaddlePaddle/Paddle/pull/76033",
        "https://github.com/tracel-ai/burn/issues/5568",
        "https://github.com/pytorch/pytorch/issues/108148",
    ),
)
def ignored_rows_are_dropped(case: Case, trial: Trial) -> None:
    keep = kept(case)
    rest = take_rows(case, keep)
    whole, part = trial.loss(case), trial.loss(rest)
    bound = trial.truth.loss_bound(case), trial.truth.loss_bound(rest)
    if reduction_of(case) == "none":
        whole, bound = whole.reshape(-1)[keep], (bound[0].reshape(-1)[keep], bound[1])
    trial.same("the loss", whole, part, bound[0] + bound[1])


@states(
    "The gradient of the rows that stay does not see the rows that are ignored.",
    slug="ignored-rows-are-dropped-from-the-gradient",
    family="ignore_index",
    formula="dl/dx [keep] = d l(x[keep], y[keep]) / dx[keep]",
    space=SOME_IGNORED,
    needs=("gradient",),
    links=(
        "https://github.com/NVIDIA/TransformerEngine/pull/2476",
        "https://github.com/open-mmlab/mmsegmentation/issues/886",
    ),
)
def ignored_rows_are_dropped_from_the_gradient(case: Case, trial: Trial) -> None:
    keep = kept(case)
    rest = take_rows(case, keep)
    whole, part = trial.gradient(case), trial.gradient(rest)
    bound = rows_of(trial.truth.gradient_bound(case), 1)[keep] + trial.truth.gradient_bound(rest)
    trial.same("the gradient of the rows that stay", rows_of(whole, 1)[keep], part, bound)


@states(
    "An ignored row has loss 0 and gradient 0, exactly.",
    slug="ignored-rows-are-exactly-zero",
    family="ignore_index",
    formula="y_i = ignore_index: l_i = 0, dl/dx_i = 0",
    space=EVERYTHING.but(targets=("indices",), ignored=("some", "all-but-one", "all")),
    needs=("gradient",),
    links=(
        "https://github.com/PaddlePaddle/Paddle/pull/28622",
        "https://github.com/google-deepmind/optax/issues/1335",
    ),
)
def ignored_rows_are_exactly_zero(case: Case, trial: Trial) -> None:
    dropped = ~kept(case)
    gradient = trial.gradient(case)
    ignored = rows_of(gradient, case.class_axis)[dropped].astype(np.float64)
    trial.require(not np.any(ignored), "the gradient of an ignored row is not 0", got=str(ignored))
    if reduction_of(case) == "none":
        loss = trial.loss(case)
        exact_loss = trial.exact(case).loss
        trial.within("the loss", loss, exact_loss, trial.truth.loss_bound(case))
        nothing = loss.reshape(-1)[dropped].astype(np.float64)
        trial.require(not np.any(nothing), "the loss of an ignored row is not 0", got=str(nothing))
    # A gradient that is 0 everywhere would pass so far: the rows that stay must have theirs.
    exact = trial.exact(case).gradient
    assert exact is not None
    trial.within("the gradient", gradient, exact, trial.truth.gradient_bound(case))


@states(
    "NaN and infinities in an ignored row harm neither the loss nor the gradient.",
    slug="garbage-in-ignored-rows-is-harmless",
    family="ignore_index",
    level="should",
    formula="y_i = ignore_index: l and dl/dx are the same for any x_i, NaN included",
    space=SOME_IGNORED.but(smoothings=(None, 0.1)),
    needs=("gradient",),
    links=(
        "https://github.com/google-deepmind/optax/issues/1335",
        "https://github.com/pytorch/pytorch/issues/188680",
    ),
)
def garbage_in_ignored_rows_is_harmless(case: Case, trial: Trial) -> None:
    logits = case.logits.copy()
    garbage = np.moveaxis(logits, case.class_axis, -1).reshape(-1, case.classes)
    dropped = np.flatnonzero(~kept(case))
    garbage[dropped] = np.resize(np.array([np.nan, np.inf, -np.inf]), (dropped.size, case.classes))
    dims = case.logits.shape[:1] + case.logits.shape[2:]
    spoiled = np.moveaxis(garbage.reshape(*dims, case.classes), -1, case.class_axis)
    dirty = case.but(logits=np.ascontiguousarray(spoiled))
    exact = trial.exact(case)
    assert exact.gradient is not None
    trial.within("the loss", trial.loss(dirty), exact.loss, trial.truth.loss_bound(case))
    trial.within(
        "the gradient", trial.gradient(dirty), exact.gradient, trial.truth.gradient_bound(case)
    )


@states(
    "What is the mean when every row is ignored?",
    slug="mean-of-nothing",
    family="ignore_index",
    level="behaviour",
    formula="mean over no rows: 0/0",
    space=EVERYTHING.but(
        regimes=("typical",),
        targets=("indices",),
        ignored=("all",),
        ignore_indices=("default",),
        reductions=("mean",),
        weights=("none",),
        smoothings=(None,),
    ),
    links=("https://github.com/pytorch/pytorch/issues/50224",),
)
def mean_of_nothing(case: Case, trial: Trial) -> str:
    outcome = trial.outcome(case)
    return outcome if isinstance(outcome, str) else f"{float(outcome.astype(np.float64)):g}"


@states(
    "Where all rows are ignored, losses and their sum are exactly 0, and so is the gradient.",
    slug="all-ignored-is-zero",
    family="ignore_index",
    formula="y_i = ignore_index for all i: none: l = 0;  sum: l = 0;  dl/dx = 0",
    space=EVERYTHING.but(
        regimes=("typical", "confident-wrong", "gap", "ties"),
        targets=("indices",),
        ignored=("all",),
        reductions=("none", "sum", "mean"),
    ),
    needs=("gradient",),
    links=(
        "https://github.com/microsoft/onnxruntime/pull/3734",
        "https://github.com/NVIDIA-NeMo/Automodel/issues/3796",
    ),
    share=0.5,
)
def all_ignored_is_zero(case: Case, trial: Trial) -> None:
    # The bounds of ignored rows are 0; that of a mean over nothing is infinite.
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "Any index can be ignored, in range or not: the rows that name it go, the classes all stay.",
    slug="any-index-can-be-ignored",
    family="ignore_index",
    formula="ignore_index in {-100, -1, 0, C-1, C+2, 255}: l_i = 0 where y_i = ignore_index",
    space=EVERYTHING.but(
        regimes=(*SMALL, "wide"),  # where 255 is a class
        targets=("indices",),
        shapes=("batched", "spatial"),
        weights=("none", "random"),
        ignored=("some",),
        smoothings=(None, 0.1),
        reductions=("none", "mean"),
        min_rows=2,
        min_classes=2,
    ),
    needs=("gradient",),
    links=(
        "https://github.com/chainer/chainer/issues/2715",
        "https://github.com/pytorch/pytorch/issues/15508",
        "https://github.com/pytorch/pytorch/issues/63004",
        "https://github.com/onnx/onnx/pull/2696",
    ),
)
def any_index_can_be_ignored(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


LIKE_THE_DEFAULT = -100 % 2**8


@states(
    "No label of unsigned bytes is taken for the default ignore_index, whose bits it has.",
    slug="unsigned-labels",
    family="ignore_index",
    formula="l(x, y) as in loss-formula, y = 156 = -100 mod 2^8 as uint8",
    space=EVERYTHING.but(
        regimes=("tile-256",),
        targets=("indices",),
        ignored=("none",),
        target_dtypes=("uint8",),
        min_classes=LIKE_THE_DEFAULT + 1,
    ),
    dtypes=("float64", "float32"),  # in 16 bits a sum over so many classes may be anything
    links=("https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html",),
)
def unsigned_labels(case: Case, trial: Trial) -> None:
    labels = case.target.copy()
    labels.flat[::2] = LIKE_THE_DEFAULT
    trial.loss_is_right(case.but(target=labels))


@states(
    "An ignore_index beyond 32 bits ignores no class that its low bits name, or is refused.",
    slug="ignore-index-beyond-32-bits",
    family="ignore_index",
    level="should",
    formula="l(x, y) with ignore_index = 2^32 + y is l(x, y), or an exception",
    space=EVERYTHING.but(
        regimes=SMALL, targets=("indices",), ignored=("none",), target_dtypes=("int64",), min_rows=1
    ),
    needs=("ignore_index",),
    share=0.25,
)
def ignore_index_beyond_32_bits(case: Case, trial: Trial) -> None:
    _loss_is_right_or_refused(case, trial, ignore_index=2**32 + int(case.target.flat[0]))


@states(
    "An ignore_index that is a class costs probabilities nothing, or is refused beside them.",
    slug="probabilities-are-not-ignored",
    family="ignore_index",
    formula="l(x, q) with ignore_index = c in 0 .. C-1 is l(x, q), or an exception",
    space=EVERYTHING.but(targets=("probabilities",), ignored=("none",)),
    needs=("ignore_index",),
    share=0.5,
    links=("https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",),
)
def probabilities_are_not_ignored(case: Case, trial: Trial) -> None:
    shares = rows_of(case.target, case.class_axis).astype(np.float64).sum(0)
    _loss_is_right_or_refused(case, trial, ignore_index=int(shares.argmax()))


def _loss_is_right_or_refused(case: Case, trial: Trial, *, ignore_index: int) -> None:
    """The loss is as if nothing were ignored."""
    loss = trial.outcome(case.but(ignore_index=ignore_index))
    if isinstance(loss, str):
        return  # whoever refuses misleads nobody
    loss = trial.shaped("the loss", loss, case.result_shape)
    trial.within("the loss", loss, trial.exact(case).loss, trial.truth.loss_bound(case))


PROPERTIES = (
    ignored_rows_are_dropped,
    ignored_rows_are_dropped_from_the_gradient,
    ignored_rows_are_exactly_zero,
    garbage_in_ignored_rows_is_harmless,
    any_index_can_be_ignored,
    unsigned_labels,
    ignore_index_beyond_32_bits,
    probabilities_are_not_ignored,
    all_ignored_is_zero,
    mean_of_nothing,
)
