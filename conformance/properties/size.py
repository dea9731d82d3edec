"""Sizes at which tiles, counters and offsets end."""

from __future__ import annotations

from conformance.cases.case import Case
from conformance.cases.regimes import BATCHES, TILES
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.properties.property import states
from conformance.properties.transform import normalised
from conformance.properties.trial import Trial

SIZES = PLAIN.but(shapes=("batched", "spatial"))


@states(
    "Loss and gradient are right for any number of classes around a power of two.",
    slug="class-counts-around-tiles",
    family="size",
    formula="C = 2^k - 1, 2^k, 2^k + 1 for k = 5 .. 12",
    space=SIZES.but(regimes=TILES),
    needs=("gradient",),
    strong=TILES[:3],
    links=(
        "https://github.com/tenstorrent/tt-metal/issues/53209",
        "https://github.com/microsoft/onnxruntime/pull/20059",
        "https://github.com/PaddlePaddle/Paddle/pull/31491",
    ),
    share=0.2,
)
def class_counts_around_tiles(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "Loss and gradient of several rows are right for odd numbers of classes from 513 to 1023.",
    slug="odd-class-counts",
    family="size",
    formula="C = 513, 515, .., 1023",
    space=SIZES.but(regimes=("odd-classes",)),
    needs=("gradient",),
    links=(
        "https://github.com/pytorch/pytorch/issues/143644",
        "https://github.com/tensorflow/tensorflow/issues/25977",
    ),
    share=0.2,
)
def odd_class_counts(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "Loss and gradient are right for targets in the last, partial tile of the classes.",
    slug="labels-in-the-last-tile",
    family="size",
    formula="B floor((C - 1) / B) <= y < C for a tile of B classes",
    space=SIZES.but(regimes=("last-tile",)),
    needs=("gradient",),
    links=("https://github.com/apple/ml-cross-entropy/pull/59",),
    share=0.2,
)
def labels_in_the_last_tile(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "Loss and gradient are right for the vocabularies of language models.",
    slug="vocabularies",
    family="size",
    formula="C = 32000, 50257, 128256, 151936",
    space=PLAIN.but(regimes=("vocabulary",)),
    needs=("gradient",),
    links=(
        "https://github.com/pytorch/pytorch/issues/85786",
        "https://github.com/pytorch/pytorch/issues/56325",
        "https://github.com/THUFutureLab/gluon-face/issues/28",
    ),
    share=0.03,
)
def vocabularies(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "All options together are right around tiles, and with the vocabularies of language models.",
    slug="options-at-size",
    family="size",
    formula="l as in loss-formula, C = 63 .. 65, 4095 .. 4097, 32000 .. 151936",
    space=EVERYTHING.but(
        regimes=("tile-64", "tile-4096", "vocabulary"), shapes=("batched", "spatial")
    ),
    needs=("gradient",),
    strong=("tile-64",),
    links=(
        "https://github.com/NVIDIA/Megatron-LM/pull/5522",
        "https://github.com/pytorch/pytorch/issues/73205",
    ),
    share=0.05,
)
def options_at_size(case: Case, trial: Trial) -> None:
    case = normalised(case)
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "Loss and gradient are right for hundreds to tens of thousands of rows.",
    slug="many-rows-at-once",
    family="size",
    formula="M = 2^k - 1, 2^k, 2^k + 1 for k = 8, 10, 12, 16",
    space=PLAIN.but(regimes=BATCHES, weights=("none", "random")),
    needs=("gradient",),
    strong=BATCHES[:2],
    links=(
        "https://github.com/pytorch/pytorch/issues/177116",
        "https://github.com/microsoft/onnxruntime/issues/32299",
    ),
    share=0.02,
)
def many_rows_at_once(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "The mean over hundreds to tens of thousands of rows is right, and so is its gradient "
    "(in float16: finite-mean).",
    slug="many-rows-reduced",
    family="size",
    formula="(1/M) sum_i l_i of M = 2^k - 1, 2^k, 2^k + 1 rows for k = 8, 16",
    space=PLAIN.but(
        regimes=(BATCHES[0], BATCHES[-1]), weights=("none", "random"), reductions=("mean",)
    ),
    needs=("gradient",),
    dtypes=("float64", "float32"),  # sums of so many numbers kept in 16 bits may be anything
    strong=BATCHES[:1],
    links=("https://github.com/pytorch/pytorch/issues/55657",),
    share=0.02,
)
def many_rows_reduced(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)
    trial.gradient_is_right(case)


@states(
    "Loss and gradient of the last rows are right beyond 2^31 logits.",
    slug="beyond-int32",
    family="size",
    formula="M C > 2^31: l_i and dl/dx_i of i = M - 1, M - 2, ..",
    space=PLAIN.but(regimes=("vocabulary",)),
    needs=("gradient",),
    dtypes=("float16", "bfloat16"),
    devices="accelerators",
    links=(
        "https://github.com/pytorch/pytorch/issues/111484",
        "https://github.com/pytorch/pytorch/issues/190139",
        "https://github.com/intel/torch-xpu-ops/pull/4725",
    ),
    share=0.0,
)
def beyond_int32(case: Case, trial: Trial) -> None:
    exact = trial.exact(case)
    assert exact.gradient is not None
    loss, gradient = trial.ask("last-rows loss", case), trial.ask("last-rows gradient", case)
    trial.within("the loss of the last rows", loss, exact.loss, trial.truth.loss_bound(case))
    trial.within(
        "the gradient of the last rows",
        gradient,
        exact.gradient,
        trial.truth.gradient_bound(case),
    )


PROPERTIES = (
    class_counts_around_tiles,
    odd_class_counts,
    labels_in_the_last_tile,
    vocabularies,
    options_at_size,
    many_rows_at_once,
    many_rows_reduced,
    beyond_int32,
)
