"""What a property is: a statement that must hold, and the cases that put it to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from conformance.cases.case import Case
from conformance.cases.regimes import SHARP
from conformance.cases.space import Space
from conformance.spec.formats import FORMATS

if TYPE_CHECKING:
    from conformance.properties.trial import Trial

LEVELS = {
    "must": "the mathematics, or what every sane caller relies on",
    "should": "good practice that some implementations refuse",
    "behaviour": "a choice point: no verdict, a label",
}

DEVICES = {
    "any": "",
    "cpu": "a question to the CPU alone: other devices need not repeat their bits",
    "accelerators": "a question to accelerators alone: it takes more than 2^31 logits",
}
"""Where a property is asked, and why not elsewhere."""

Body = Callable[[Case, "Trial"], str | None]
"""Asks through the trial and compares; a behaviour property returns its label."""


@dataclass(frozen=True)
class Property:
    """One statement about an implementation."""

    slug: str
    """Stable: part of records, permalinks and known failures; never reused."""
    family: str
    level: str
    statement: str
    formula: str
    body: Body
    space: Space
    needs: tuple[str, ...] = ()
    """What an implementation must offer beside what the space asks of it: gradient, stages, ..."""
    dtypes: tuple[str, ...] = tuple(FORMATS)
    strong: tuple[str, ...] = SHARP
    """Regimes in which the comparison is sharp: the power test counts there."""
    about: str = "values"
    """What of an answer it compares, and so what the power test spoils: values | shape | dtype |
    special, which of its numbers are NaN or infinite | refusal, whether there is a number."""
    links: tuple[str, ...] = ()
    """Real bugs that motivate the property."""
    share: float = 1.0
    """The part of the profile's searched examples that it gets (costly ones get less)."""
    devices: str = "any"
    """Where it is asked: any | cpu | accelerators."""
    poisons: bool = False
    """Whether its questions may leave an accelerator unable to answer any further ones: there they
    are asked once each, in a process of their own."""

    def describe(self) -> dict[str, Any]:
        """The property for the header of the records."""
        fields = asdict(self)
        names = ("slug", "family", "level", "statement", "formula", "needs", "strong", "links")
        return {name: _plain(fields[name]) for name in names} | {
            "regimes": list(self.space.regimes)
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def states(
    statement: str,
    *,
    slug: str,
    family: str,
    space: Space,
    level: str = "must",
    formula: str = "",
    needs: tuple[str, ...] = (),
    dtypes: tuple[str, ...] = tuple(FORMATS),
    strong: tuple[str, ...] | None = None,
    about: str = "values",
    links: tuple[str, ...] = (),
    share: float = 1.0,
    devices: str = "any",
    poisons: bool = False,
) -> Callable[[Body], Property]:
    """Make a property of a function: ``@states("...", slug=..., family=..., space=...)``."""
    if strong is None:
        strong = tuple(regime for regime in SHARP if regime in space.regimes)
        strong = strong or space.regimes[:1]

    def decorate(body: Body) -> Property:
        return Property(
            slug,
            family,
            level,
            statement,
            formula,
            body,
            space,
            needs,
            dtypes,
            strong,
            about,
            links,
            share,
            devices,
            poisons,
        )

    return decorate
