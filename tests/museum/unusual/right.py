"""What all of them are."""

from __future__ import annotations

from faithful import Faithful


class Unusual(Faithful):
    """A right implementation; ``without`` are the accuracy levels that it rightly fails."""

    without: tuple[str, ...] = ()
