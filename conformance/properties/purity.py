"""A loss is a function: inputs stay, answers repeat, memory layout does not matter."""

from __future__ import annotations

from conformance.cases.case import Case
from conformance.cases.layouts import LAYOUTS
from conformance.cases.regimes import ORDINARY
from conformance.cases.space import EVERYTHING
from conformance.properties.asking import input_bytes
from conformance.properties.property import states
from conformance.properties.trial import Trial

CALLS = EVERYTHING.but(regimes=ORDINARY)

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
    needs=("gradient",),
)
def gradient_does_not_modify_inputs(case: Case, trial: Trial) -> None:
    before = input_bytes(case.logits, case.target, case.weight)
    after = trial.ask("inputs after the gradient", case)
    trial.identical("the input after the gradient", after, before, kind="modified")


@states(
    "The same call gives the same bits.",
    slug="repeatable",
    family="purity",
    formula="l(x, y) = l(x, y)",
    space=CALLS.but(regimes=(*ORDINARY, "wide", "many-rows")),
)
def repeatable(case: Case, trial: Trial) -> None:
    first = trial.loss(case)
    trial.identical("the second answer", trial.loss(case), first)


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
    repeatable,
    memory_layout,
    memory_layout_of_the_gradient,
)
