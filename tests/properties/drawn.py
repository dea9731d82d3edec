"""Cases of every kind, for the tests of properties."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from conformance.cases.build import build
from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING, Space
from conformance.cases.strategies import draws
from conformance.spec.formats import FORMATS


def cases(space: Space = EVERYTHING, dtype: str | None = None) -> st.SearchStrategy[Case]:
    """Cases of a space, of small sizes."""
    formats = [FORMATS[dtype]] if dtype else list(FORMATS.values())

    def make(draw: Any, fmt: Any) -> Case:
        return build(draw, space, space, fmt)[0]

    return st.builds(make, draws(space), st.sampled_from(formats))
