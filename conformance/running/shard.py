"""Shards: the parts of a run that several machines share.

Which shard a cell belongs to follows from names alone, so every machine knows its own part without
asking the others, and a cell stays where it is whatever else is run.  The catalogue, each property
in each dtype, is dealt out like cards: neighbours cost about the same (they are one property in
several dtypes, or of one family) and so go to different shards.  Every round begins at another one,
by the implementation's name; otherwise the rounds would fall into step with the dtypes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zlib import crc32

from conformance.errors import UsageError
from conformance.properties import PROPERTIES
from conformance.running.process import CURVE
from conformance.spec.formats import FORMATS

_DTYPES = tuple(FORMATS)
_DEALT = {slug: n for n, slug in enumerate([*(p.slug for p in PROPERTIES), CURVE])}


@dataclass(frozen=True)
class Shard:
    """Part ``number`` of ``of``, counted from 1."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, implementation: str, dtype: str, slug: str) -> bool:
        """Whether a cell, or a curve by the name of ``CURVE``, is of this part."""
        card = _DEALT[slug] * len(_DTYPES) + _DTYPES.index(dtype)
        turn, place = divmod(card, self.of)
        start = crc32(f"{implementation} {turn}".encode("utf-8", "replace"))
        return (start + place) % self.of == self.number - 1


WHOLE = Shard()


def read_shard(text: str) -> Shard:
    """The shard that ``2/8`` names.  ``UsageError`` where it names none."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", text)
    if not match or int(match[1]) > int(match[2]):
        raise UsageError(f"--shard {text}: write K/N, from 1/N to N/N; the second of eight is 2/8")
    return Shard(int(match[1]), int(match[2]))
