"""A loss is a function: inputs stay, answers repeat, memory layout does not matter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.cases.layouts import LAYOUTS
from conformance.cases.regimes import ORDINARY
from conformance.cases.space import EVERYTHING
from conformance.properties.asking import NO_CHANGES, Array, input_bytes
from conformance.properties.property import states
from conformance.properties.transform import calm, normalised, rows_of, take_rows
from conformance.properties.trial import Trial

CALLS = EVERYTHING.but(regimes=ORDINARY)

# A kernel has other ways, and memory of its own, for what is large.
LARGE_CALLS = EVERYTHING.but(regimes=("tile-4096",), shapes=("batched",))

OTHER_LAYOUTS = CALLS.but(
    layouts=tuple(layout for layout in LAYOUTS if layout != "contiguous"),
    shapes=("batched", "spatial"),
)


@states(
    "Neither the loss nor the gradient modifies logits, target or weight.",
    slug="inputs-are-not-modified",
    family="purity",
    formula="x, y, w after the call = before the call, bit for bit",
    space=CALLS,
    needs=("calls in this process",),
    links=(
        "https://github.com/linkedin/Liger-Kernel/pull/1251",
        "https://github.com/unslothai/unsloth/issues/5002",
    ),
)
def inputs_are_not_modified(case: Case, trial: Trial) -> None:
    before = input_bytes(case.logits, case.target, case.weight)
    after = trial.ask("inputs after the loss", case)
    trial.identical("the input after the loss", after, before, kind="modified")


@states(
    "The gradient leaves logits, target and weight as they are, too.",
    slug="gradient-does-not-modify-inputs",
    family="purity",
    formula="x, y, w after the vjp = before the vjp, bit for bit",
    space=CALLS,
    needs=("gradient", "calls in this process"),
)
def gradient_does_not_modify_inputs(case: Case, trial: Trial) -> None:
    before = input_bytes(case.logits, case.target, case.weight)
    after = trial.ask("inputs after the gradient", case)
    trial.identical("the input after the gradient", after, before, kind="modified")


@states(
    "Neither the loss nor the gradient modifies large inputs.",
    slug="large-inputs-are-not-modified",
    family="purity",
    formula="C = 4095 .. 4097: x, y, w after l and after the vjp = before, bit for bit",
    space=LARGE_CALLS,
    needs=("gradient", "calls in this process"),
    strong=LARGE_CALLS.regimes,
    share=0.1,
)
def large_inputs_are_not_modified(case: Case, trial: Trial) -> None:
    inputs_are_not_modified.body(case, trial)
    gradient_does_not_modify_inputs.body(case, trial)


@states(
    "A call leaves rounding, error modes, seeds, defaults and the rest of the process untouched.",
    slug="global-state-untouched",
    family="purity",
    formula="the settings of process and framework after l and dl/dx = those before",
    space=CALLS,
    needs=("calls in this process",),
    links=(
        "https://github.com/numpy/numpy/issues/20895",
        "https://github.com/OpenNMT/CTranslate2/issues/1018",
    ),
    share=0.5,
)
def global_state_untouched(case: Case, trial: Trial) -> None:
    answer = trial.ask("settings after the calls", case)
    said = answer.tobytes().decode("utf-8", "replace")
    trial.require(said == NO_CHANGES, said, kind="modified", got=said)


@states(
    "The same call gives the same bits.",
    slug="repeatable",
    family="purity",
    formula="l(x, y) = l(x, y)",
    space=CALLS.but(regimes=(*ORDINARY, "wide", "many-rows")),
    devices="cpu",
)
def repeatable(case: Case, trial: Trial) -> None:
    first = trial.loss(case)
    trial.identical("the second answer", trial.loss(case), first)


@states(
    "Does the same call give the same bits?",
    slug="repeatable-answer",
    family="purity",
    level="behaviour",
    formula="l(x, y) = l(x, y), bit for bit",
    space=CALLS.but(
        regimes=("confident-wrong", "wide", "many-rows"),
        ignored=("none", "some"),
        weights=("none",),
    ),
    links=("https://github.com/pytorch/pytorch/issues/17350",),
)
def repeatable_answer(case: Case, trial: Trial) -> str:
    bound = 2 * trial.truth.loss_bound(case)
    return _agreement(trial.loss(case), trial.loss(case), bound)


@states(
    "Does a row get the same bits whichever batch it is in?",
    slug="batch-invariance",
    family="purity",
    level="behaviour",
    formula="l_i(x) = l(x_i), bit for bit",
    space=CALLS.but(
        regimes=("confident-wrong", "typical", "wide"),
        targets=("indices",),
        ignored=("none",),
        weights=("none",),
        smoothings=(None,),
        reductions=("none",),
        shapes=("batched",),
        min_rows=2,
    ),
)
def batch_invariance(case: Case, trial: Trial) -> str:
    last = take_rows(case, np.array([-1]))
    many = take_rows(case, np.arange(37) % case.rows)
    whole, bound = trial.loss(case), trial.truth.loss_bound(case)
    alone, among_many = trial.loss(last), trial.loss(many)
    labels = {
        _agreement(alone, whole[-1:], 2 * bound[-1:]),
        _agreement(among_many[: case.rows], whole, 2 * bound),
    }
    return min(labels)  # in the alphabet, what differs more comes first


def _agreement(got: Array, other: Array, bound: NDArray[np.float64]) -> str:
    """How far two answers agree, as a label."""
    if got.shape != other.shape:
        return "another shape"
    a, b = got.astype(np.float64), other.astype(np.float64)
    if np.array_equal(a, b, equal_nan=True):
        return "the same bits"
    with np.errstate(invalid="ignore"):
        return "other bits" if (np.abs(a - b) <= bound).all() else "another loss"


@states(
    "A call does not change what the next one answers.",
    slug="no-state-between-calls",
    family="purity",
    formula="l(x, y), then any other call, then l(x, y): the same bits",
    space=CALLS.but(weights=("none", "random")),
    devices="cpu",
    links=("https://github.com/pytorch/pytorch/issues/177116",),
    share=0.5,
)
def no_state_between_calls(case: Case, trial: Trial) -> None:
    case = calm(case)
    first = trial.loss(case)
    for other in _other_calls(case):
        trial.call(other)
    after = trial.loss(case)
    trial.identical("the loss after other calls", after, first)
    # The calls before the first one, too, must not have changed it.
    bound = trial.truth.loss_bound(case)
    trial.within("the loss after other calls", after, trial.exact(case).loss, bound)


def _other_calls(case: Case) -> Iterator[Case]:
    """The same shapes with other numbers; all options; no option, and twice the rows."""
    negated = case.but(logits=-case.logits)
    yield negated
    yield negated.but(
        weight=1 + np.abs(rows_of(case.logits, case.class_axis)[0]),
        label_smoothing=0.3,
        ignore_index=None if case.soft else int(case.target.flat[0]),
    )
    plain = negated.but(weight=None, label_smoothing=None, ignore_index=None, cotangent=None)
    yield take_rows(plain, np.arange(2 * case.rows) % case.rows)


@states(
    "The results of one call are not overwritten by the next.",
    slug="results-do-not-share-memory",
    family="purity",
    formula="l(x, y), looked at after another call, is l(x, y);  so is dl/dx",
    space=CALLS,
    needs=("gradient", "calls in this process"),
    links=("https://github.com/linkedin/Liger-Kernel/pull/508",),
    share=0.5,
)
def results_do_not_share_memory(case: Case, trial: Trial) -> None:
    case = calm(case)
    loss, gradient = trial.ask("kept loss", case), trial.ask("kept gradient", case)
    trial.same(
        "the loss, looked at after another call",
        loss,
        trial.loss(case),
        2 * trial.truth.loss_bound(case),
    )
    trial.same(
        "the gradient, looked at after another call",
        gradient,
        trial.gradient(case),
        2 * trial.truth.gradient_bound(case),
    )


@states(
    "The results of one large call are not overwritten by the next.",
    slug="large-results-do-not-share-memory",
    family="purity",
    formula="C = 4095 .. 4097: l(x, y), looked at after another call, is l(x, y);  so is dl/dx",
    space=LARGE_CALLS,
    needs=("gradient", "calls in this process"),
    # Twice the bound of a 16-bit loss of so many classes would let much pass.
    dtypes=("float64", "float32"),
    strong=LARGE_CALLS.regimes,
    share=0.1,
)
def large_results_do_not_share_memory(case: Case, trial: Trial) -> None:
    results_do_not_share_memory.body(normalised(case), trial)


@states(
    "Large logits are known by all of their numbers, not by the first of them.",
    slug="large-logits-are-read-to-their-end",
    family="purity",
    formula="C = 4095 .. 4097: l(x', y) after l(x, y), where x' differs in its last logit alone",
    space=LARGE_CALLS,
    needs=("gradient", "calls in this process"),
    strong=LARGE_CALLS.regimes,
    dtypes=("float64", "float32"),
    share=0.1,
)
def large_logits_are_read_to_their_end(case: Case, trial: Trial) -> None:
    case = normalised(calm(case))
    logits = case.logits.copy()
    logits[-1, -1] += 12  # no other class is as likely
    for asked in (case, case.but(logits=logits)):
        trial.loss_is_right(asked)
        trial.gradient_is_right(asked)


@states(
    "Logits that are written over those of an earlier call are read anew.",
    slug="reused-buffer",
    family="purity",
    formula="l(x, y), with x in the memory of an earlier x: l(x, y)",
    space=CALLS,
    needs=("calls in this process",),
    share=0.5,
)
def reused_buffer(case: Case, trial: Trial) -> None:
    case = calm(case)
    bound = 2 * trial.truth.loss_bound(case)
    again = trial.ask("reused-buffer loss", case)
    trial.same("the loss of logits in a used buffer", again, trial.loss(case), bound)


@states(
    "Strides, slices, broadcast, Fortran-ordered, reversed and read-only inputs change nothing.",
    slug="memory-layout",
    family="purity",
    formula="l(x in any layout) = l(x contiguous)",
    space=OTHER_LAYOUTS,
    links=(
        "https://github.com/ml-explore/mlx/issues/657",
        "https://github.com/pytorch/pytorch/issues/67167",
    ),
)
def memory_layout(case: Case, trial: Trial) -> None:
    trial.loss_is_right(case)


@states(
    "The gradient does not depend on the memory layout of the inputs either.",
    slug="memory-layout-of-the-gradient",
    family="purity",
    formula="dl/dx of x in any layout = dl/dx of x contiguous",
    space=OTHER_LAYOUTS,
    needs=("gradient",),
    links=("https://github.com/pytorch/pytorch/issues/175084",),
)
def memory_layout_of_the_gradient(case: Case, trial: Trial) -> None:
    trial.gradient_is_right(case)


PROPERTIES = (
    inputs_are_not_modified,
    gradient_does_not_modify_inputs,
    large_inputs_are_not_modified,
    global_state_untouched,
    repeatable,
    repeatable_answer,
    batch_invariance,
    no_state_between_calls,
    results_do_not_share_memory,
    large_results_do_not_share_memory,
    large_logits_are_read_to_their_end,
    reused_buffer,
    memory_layout,
    memory_layout_of_the_gradient,
)
