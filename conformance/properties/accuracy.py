"""How accurate: each level of accuracy is a property of its own, so that a fault has a name."""

from __future__ import annotations

import numpy as np

from conformance.cases.case import Case
from conformance.cases.regimes import FINITE
from conformance.cases.space import PLAIN
from conformance.properties.property import states
from conformance.properties.trial import Trial

LOSSES = PLAIN.but(regimes=(*FINITE,), reductions=("none",), shapes=("batched", "spatial"))


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
    "Sums over the classes of 16-bit inputs are kept in at least float32.",
    slug="accumulates-in-float32",
    family="accuracy",
    level="should",
    formula="the class sum has unit roundoff 2^-24: sigma = (C-1) 2^-24",
    space=LOSSES.but(regimes=tuple(r for r in FINITE if r != "many-rows")),
    dtypes=("float16", "bfloat16"),
    links=(
        "https://github.com/pytorch/pytorch/pull/187053",
        "https://github.com/tenstorrent/tt-metal/issues/52131",
    ),
)
def accumulates_in_float32(case: Case, trial: Trial) -> None:
    # Few terms add up well in any format: the classes again and again, until they are many.
    repeats = -(-1024 // case.classes)
    logits = np.concatenate([case.logits] * repeats, axis=1)
    trial.loss_is_right(case.but(logits=logits), "accumulates-in-float32")


@states(
    "An offset common to all logits of a row costs no accuracy.",
    slug="offset-costs-nothing",
    family="accuracy",
    level="should",
    formula="log sum_j exp(x_j - m) + (m - x_y), never (m + log sum_j exp(x_j - m)) - x_y",
    space=LOSSES.but(
        regimes=("common-offset", "row-offsets", "typical", "confident-right", "two-peaks")
    ),
    strong=("common-offset", "two-peaks"),
    links=(
        "https://github.com/google-deepmind/optax/issues/1020",
        "https://github.com/pytorch/pytorch/pull/195829",
    ),
)
def offset_costs_nothing(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case, "offset-costs-nothing")


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
    repeats = int(np.ceil(1.25 * 65504 / total))
    batch = case.but(
        logits=np.tile(case.logits, (repeats, 1)), target=np.tile(case.target, repeats)
    )
    loss = trial.loss(batch).astype(np.float64)
    mean = float(trial.exact(batch).loss.hi)
    # Whether it overflows is asked here, how accurate it is elsewhere: hence a whole sixteenth.
    trial.require(
        np.abs(loss - mean) <= mean / 16,
        f"the mean loss of {batch.rows} rows is {float(loss):.4g}, should be about {mean:.4g}",
        kind="wrong" if np.isfinite(loss) else "not-finite",
        got=f"{float(loss):.6g}",
    )


PROPERTIES = (accurate, accumulates_in_float32, offset_costs_nothing, finite_mean)
