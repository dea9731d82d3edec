"""What a property asks about: the part of the input space that its cases come from.

A Space lists the allowed values of each axis.  An implementation supports a part of it: narrowing
keeps that part, and says why when nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from conformance.cases.case import Case
from conformance.cases.regimes import SMALL
from conformance.errors import Unsupported

T = TypeVar("T")


class Supports(Protocol):
    """What a Space needs to know of an implementation (``contract.Capabilities`` is one)."""

    @property
    def options(self) -> frozenset[str]: ...
    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def shapes(self) -> tuple[str, ...]: ...
    @property
    def reductions(self) -> tuple[str, ...]: ...
    @property
    def target_dtypes(self) -> tuple[str, ...]: ...
    @property
    def layouts(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Space:
    """The allowed values of each axis of a case; the first value of an axis is the plainest."""

    regimes: tuple[str, ...] = SMALL
    targets: tuple[str, ...] = ("indices",)
    """indices | probabilities"""
    weights: tuple[str, ...] = ("none", "random", "some-zero", "negative")
    ignored: tuple[str, ...] = ("none", "some", "all-but-one")
    """Which rows are ignored: none | some | all-but-one | all"""
    ignore_indices: tuple[str, ...] = ("default", "negative", "in-range", "last", "beyond")
    """default (left out: -100) | negative | in-range | last (class C-1) | beyond (>= C)"""
    smoothings: tuple[float | None, ...] = (None, 0.1, 0.5, 1.0, 0.0)
    reductions: tuple[str | None, ...] = ("none", "mean", "sum", None)
    """None leaves the argument out."""
    shapes: tuple[str, ...] = ("unbatched", "batched", "spatial")
    layouts: tuple[str, ...] = ("contiguous",)
    target_dtypes: tuple[str, ...] = ("int64",)
    min_rows: int = 1
    min_classes: int = 1

    def but(self, **changes: Any) -> Space:
        """This space with some axes changed."""
        return replace(self, **changes)

    def narrow(self, supports: Supports) -> Space:
        """The part of this space that an implementation supports.

        Raises:
            Unsupported: nothing is left on some axis; the message says what the implementation
                does not offer.
        """
        options = supports.options
        target_dtypes = tuple(d for d in self.target_dtypes if d in supports.target_dtypes)
        if self.target_dtypes == ("int64",):  # the default: any index dtype serves
            target_dtypes = target_dtypes or supports.target_dtypes[:1]
        return replace(
            self,
            targets=_keep("target", self.targets, supports.targets),
            weights=self.weights if "weight" in options else _only("weight", self.weights, "none"),
            ignored=(
                self.ignored
                if "ignore_index" in options
                else _only("ignore_index", self.ignored, "none")
            ),
            smoothings=(
                self.smoothings
                if "label_smoothing" in options
                else _only("label_smoothing", self.smoothings, None)
            ),
            reductions=self._narrow_reductions(supports),
            shapes=_keep("shape", self.shapes, supports.shapes),
            layouts=_keep("memory layout", self.layouts, supports.layouts),
            target_dtypes=_keep("target dtype", target_dtypes or self.target_dtypes, target_dtypes),
        )

    def admits(self, case: Case) -> bool:
        """Whether a case that was made smaller is still one that the property asks about.

        A plainer layout and fewer ignored rows always are, and so are weights that are all one.
        """
        if case.weight is None:
            weighted = "none" in self.weights
        elif (case.weight == 1).all():
            weighted = self.weights != ("none",)
        else:
            weighted = not {"none", "ones"}.issuperset(self.weights)
        default = -100 if case.ignore_index is None else case.ignore_index
        all_ignored = not case.soft and bool((case.target == default).all())
        return (
            weighted
            and case.rows >= self.min_rows
            and case.classes >= self.min_classes
            and case.label_smoothing in self.smoothings
            and (not all_ignored or "all" in self.ignored)
        )

    def _narrow_reductions(self, supports: Supports) -> tuple[str | None, ...]:
        if "reduction" not in supports.options:
            # The one way in which it reduces; it counts as said explicitly.
            allowed = {"mean" if r is None else r for r in self.reductions}
            return _keep("reduction", tuple(sorted(allowed)), supports.reductions)
        left_out = (None,) if "mean" in supports.reductions else ()  # the default is the mean
        return _keep("reduction", self.reductions, (*supports.reductions, *left_out))


def _keep(axis: str, wanted: tuple[T, ...], offered: Iterable[T]) -> tuple[T, ...]:
    left = tuple(value for value in wanted if value in tuple(offered))
    if not left:
        names = " or ".join(str(value) for value in wanted)
        raise Unsupported(f"{axis} {names} is not offered")
    return left


def _only(option: str, wanted: tuple[T, ...], absent: T) -> tuple[T, ...]:
    if absent not in wanted:
        raise Unsupported(f"{option} is not offered")
    return (absent,)


EVERYTHING = Space(
    targets=("indices", "probabilities"),
    # "some" twice, for of one row or none there is little to compare in a mean.
    ignored=("none", "some", "some", "all-but-one", "all"),
)
"""All options together."""

PLAIN = Space(
    weights=("none",),
    ignored=("none",),
    smoothings=(None,),
    reductions=("none",),
    shapes=("batched",),
)
"""Logits and class indices alone, one loss a row."""
