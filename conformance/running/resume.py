"""Taking up an interrupted run: what it has left is kept, if the rest would be of the same run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.contract.implementation import installed_version
from conformance.errors import UsageError
from conformance.records.merge import ONE_RUN, difference
from conformance.records.results import Implementation, Results, cell_id, read_results
from conformance.running.host import make_header
from conformance.running.process import CURVE

if TYPE_CHECKING:
    from conformance.running.runner import Plan

_SAME_HOST = ("machine", "processor", "python")
_LOST = ("crash", "timeout")


@dataclass(frozen=True)
class Kept:
    """What an interrupted run has left of one implementation."""

    entry: Implementation
    done: list[str]
    """The ids of its cells, and of its curves by the name of ``CURVE``."""
    lost: int
    """How many workers were lost in a row, at the end."""


def begin(plan: Plan) -> Results:
    """The results of a run that begins now: a header."""
    return Results(make_header(plan.profile, plan.seed, plan.properties, plan.shard))


def take_up(plan: Plan, path: Path) -> Results:
    """The results that an interrupted run has left, or a complete one that the plan asks for again.

    ``UsageError`` where there are none, or where the plan or this machine would make another run of
    it; ``RecordsError`` where the file is broken.
    """
    if not path.exists():
        raise UsageError(f"--resume: there is no {path}; say the run's --output, or leave it out")
    results = read_results(path)
    if said := "; ".join(_differences(plan, results)):
        raise UsageError(
            f"--resume: {path} is of another run than this: {said}.  Give the command that began "
            "it, where it began; or leave --resume out, which begins anew in its place"
        )
    return results


def _differences(plan: Plan, results: Results) -> list[str]:
    """In what a plan, here and now, is not the run that the results are of: it was, and it is."""
    old = results.header
    new = begin(plan).header
    found = [
        difference(old, new, (*ONE_RUN, "shard")),
        difference(old["host"], new["host"], _SAME_HOST),
    ]
    for package, version in old["packages"].items():
        if (now := installed_version(package)) != version:
            found.append(f"{package} ({version} and {now or 'none'})")
    names = {item.name for item in plan.found}
    asked = {entry["name"] for entry in old["implementations"]}
    if gone := asked - names:
        found.append(f"it asked {', '.join(sorted(gone))}, too")
    if results.complete and (more := names - asked):
        found.append(f"it is complete without {', '.join(sorted(more))}")
    for what, allowed in (("device", (plan.device,)), ("dtype", plan.dtypes)):
        there = {str(cell[what]) for cell in results.cells}  # type: ignore[literal-required]
        if allowed and (other := there - set(allowed)):
            found.append(f"{what} ({', '.join(sorted(other))} and {', '.join(allowed)})")
    return [said for said in found if said]


def kept_of(results: Results, name: str) -> Kept | None:
    """What the results have of an implementation; None where it was not begun."""
    for entry in results.header["implementations"]:
        if entry["name"] == name:
            break
    else:
        return None
    cells = [cell for cell in results.cells if cell["implementation"] == name]
    curves = [curve for curve in results.curves if curve["implementation"] == name]
    outcomes = [cell["outcome"] in _LOST for cell in cells]
    return Kept(
        entry=entry,
        done=[
            *(cell["id"] for cell in cells),
            *(cell_id(name, curve["device"], curve["dtype"], CURVE) for curve in curves),
        ],
        lost=[*outcomes[::-1], False].index(False),
    )


def check_same(kept: Implementation, entry: Implementation) -> None:
    """``UsageError`` unless an implementation is still the one whose cells are kept."""
    if said := difference(kept, entry, kept):
        raise UsageError(
            f"--resume: {entry['name']} is not what it was: {said}.  Restore that, or leave "
            "--resume out, which begins anew"
        )
