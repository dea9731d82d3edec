"""Random capabilities and random questions, for the tests of cases."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from conformance.cases.space import Space
from conformance.cases.strategies import draws
from conformance.contract.capabilities import CHOICES, LAYOUTS, OPTIONS, Capabilities
from conformance.properties import PROPERTIES
from conformance.spec.formats import FORMATS

FORMAT_NAMES = st.sampled_from(tuple(FORMATS))


def some(choices: Any, *, at_least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    """Some of the choices, in any order."""
    return st.lists(st.sampled_from(choices), min_size=at_least, unique=True).map(tuple)


@st.composite
def capabilities(draw: st.DrawFn) -> Capabilities:
    """What an implementation might declare."""
    options = draw(st.frozensets(st.sampled_from(OPTIONS)))
    reductions = draw(some(CHOICES["reductions"]))
    return Capabilities(
        options=options,
        dtypes=tuple(FORMATS),
        devices=("cpu",),
        targets=draw(some(CHOICES["targets"])),
        shapes=draw(some(CHOICES["shapes"])),
        reductions=reductions if "reduction" in options else reductions[:1],
        target_dtypes=draw(some(CHOICES["target_dtypes"])),
        layouts=draw(some(LAYOUTS)),
        gradient=True,
        stages=(),
        stage_gradients=False,
    )


SPACES: st.SearchStrategy[Space] = st.sampled_from([prop.space for prop in PROPERTIES])
"""The spaces of all properties."""


@st.composite
def questions(draw: st.DrawFn) -> Any:
    """A property's space, a draw from it, and a format."""
    space = draw(SPACES)
    return space, draw(draws(space)), FORMATS[draw(FORMAT_NAMES)]
