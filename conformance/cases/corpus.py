"""The corpus: cases that are the same for every implementation and every device.

Case i of a property is a function of (property, dtype, seed, i), stratified over the property's
regimes.  No stream is shared, so that shards and single cases are made alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from conformance.cases.build import SIZES, Draw, size_choices
from conformance.cases.space import Space


def corpus(space: Space, *, slug: str, dtype: str, seed: int, per_regime: int) -> Iterator[Draw]:
    """The draws of a property's corpus: ``per_regime`` of each of its regimes, interleaved."""
    for index in range(per_regime * len(space.regimes)):
        round_, place = divmod(index, len(space.regimes))
        regime = space.regimes[place]
        rows, classes = size_choices(regime)
        # Sizes walk through their choices, so that few cases already show each of them: from round
        # to round, and the small ones from regime to regime too.
        start = 0 if regime in SIZES else place
        yield Draw(
            regime=regime,
            seed=_hash(f"{slug}/{dtype}/{seed}/{index}"),
            rows=rows[(start + 3 * round_) % len(rows)],
            classes=classes[(start + round_) % len(classes)],
        )


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
