"""Hypothesis strategies for cases: few draws, everything drawn first, nothing filtered."""

from __future__ import annotations

from hypothesis import strategies as st

from conformance.cases.build import Draw, size_choices
from conformance.cases.space import Space


def draws(space: Space) -> st.SearchStrategy[Draw]:
    """Draws around the regimes of ``space``, with up to three explicit edits of single logits."""
    return st.builds(
        _draw,
        regime=st.sampled_from(space.regimes),
        seed=st.integers(0, 2**64 - 1),
        size=st.integers(0, 2**10 - 1),
        edits=st.lists(st.integers(0, 2**16 - 1), max_size=3),
    )


def _draw(regime: str, seed: int, size: int, edits: list[int]) -> Draw:
    rows, classes = size_choices(regime)
    return Draw(
        regime=regime,
        seed=seed,
        rows=rows[size % len(rows)],
        classes=classes[(size // 16) % len(classes)],
        edits=tuple(edits),
    )
