"""Profiles: how hard to look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How many cases a cell gets."""

    name: str
    corpus_per_regime: int
    """Corpus cases of each regime: the floor of a cell, the same for every implementation."""
    searched: int
    """Examples that Hypothesis searches beyond the corpus."""
    steer: bool = False
    """Whether the search is steered towards the largest error / bound."""
    frugal: bool = False
    """Ask the corpus alone: no search, no smaller counterexample, no more cases to spoil."""


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("quick", corpus_per_regime=3, searched=16),
        Profile("standard", corpus_per_regime=4, searched=24),
        Profile("deep", corpus_per_regime=16, searched=10_000, steer=True),
    )
}
