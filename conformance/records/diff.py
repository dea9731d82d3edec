"""What changed between two runs: cells by their stable ids, accuracy over the same cases.

Whether an error grew can be said only where both runs asked the same cases: by the same suite,
profile and seed, in regimes in which as many of them passed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.records.results import FAILURES, Cell, Header, Results, is_unexpected
from conformance.records.schema import Record

KINDS = {
    "broken": "passed, or was not asked, and fails now",
    "no-longer-known": "failed as expected, and fails now as nobody expected",
    "fixed": "failed, and passes now",
    "now-known": "failed, and is expected to, now",
    "other-way": "failed, or was not asked, for another reason or in another way",
    "relabelled": "a choice point with another answer",
    "judged": "was not asked, and is now",
    "dropped": "was asked, and is not now",
    "added": "in the second run alone",
    "removed": "in the first run alone",
}
"""The ways in which a cell may differ, the ones that matter most first, and what each means."""

BREAKING = ("broken", "no-longer-known")

CORPUS = ("profile", "seed")
"""What decides, besides the suite, which cases are asked."""


@dataclass(frozen=True)
class Change:
    """A cell that is not what it was."""

    kind: str
    before: Cell | None
    after: Cell | None

    @property
    def cell(self) -> Cell:
        """The cell as it is now, or as it was last seen."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True)
class Setting:
    """Something about a run itself that differs: a version, the profile, the machine."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Error:
    """The largest error: as a share of its bound, and in ulp."""

    ratio: float
    ulp: float


@dataclass(frozen=True)
class Accuracy:
    """The largest error of an implementation over the cases of both runs, where it moved."""

    implementation: str
    device: str
    dtype: str
    side: str
    """The loss or the gradient."""
    before: Error
    after: Error
    left_out: tuple[str, ...]
    """Regimes in which other cases passed, so that nothing can be said."""

    @property
    def better(self) -> bool:
        """By the share of the bound; where that is the same, by the ulp."""
        before, after = self.before, self.after
        return (after.ratio, after.ulp) < (before.ratio, before.ulp)

    @property
    def factor(self) -> float:
        """The error now in terms of the error then."""
        before, after = self.before.ratio, self.after.ratio
        if before == after:
            before, after = self.before.ulp, self.after.ulp
        return after / before if before else math.inf


@dataclass(frozen=True)
class Diff:
    """What changed from one run to another."""

    before: Header
    after: Header
    changes: tuple[Change, ...]
    """In the order of ``KINDS``, then in that of the files."""
    unchanged: int
    settings: tuple[Setting, ...]
    accuracy: tuple[Accuracy, ...]
    """Where the largest error moved, the farthest first."""
    same_accuracy: int
    """How often the largest error is the same to the bit."""
    incomparable: tuple[str, ...]
    """Whose accuracy cannot be compared: no regime has the same cases in both runs."""
    caveats: tuple[str, ...]
    """Why a difference may be one of the questions and not of the answers."""

    @property
    def broke(self) -> bool:
        return any(change.kind in BREAKING for change in self.changes)

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]

    def to_record(self) -> Record:
        """The difference for machines: ids and what became of them."""
        return {
            "kind": "diff",
            "before": self.before["run"],
            "after": self.after["run"],
            "broke": self.broke,
            "caveats": list(self.caveats),
            "settings": [vars(setting) for setting in self.settings],
            "cells": {
                kind: [_brief(c) for c in found] for kind in KINDS if (found := self.of(kind))
            },
            "unchanged": self.unchanged,
            "accuracy": [
                vars(a) | {"before": vars(a.before), "after": vars(a.after), "better": a.better}
                for a in self.accuracy
            ],
            "same_accuracy": self.same_accuracy,
            "incomparable_accuracy": list(self.incomparable),
        }


def diff(before: Results, after: Results) -> Diff:
    """What changed from one run to another."""
    old = {cell["id"]: cell for cell in before.cells}
    new = {cell["id"]: cell for cell in after.cells}
    ids = [*new, *(id for id in old if id not in new)]
    changes = [c for id in ids if (c := _change(old.get(id), new.get(id)))]
    order = list(KINDS)
    caveats, same_cases = _caveats(before.header, after.header)
    moved, same, incomparable = _accuracy(before, after, same_cases)
    return Diff(
        before=before.header,
        after=after.header,
        changes=tuple(sorted(changes, key=lambda change: order.index(change.kind))),
        unchanged=len(ids) - len(changes),
        settings=tuple(_settings(before.header, after.header)),
        accuracy=moved,
        same_accuracy=same,
        incomparable=incomparable,
        caveats=caveats,
    )


# --- Cells ---------------------------------------------------------------------------------------


def ended(cell: Cell | None) -> str:
    """How a cell ended, in a word: as expected or not, else its outcome."""
    return "absent" if cell is None else cell["expectation"] or cell["outcome"]


def way(cell: Cell) -> str:
    """In which way a cell ended: its outcome, how the answer was wrong, what was raised."""
    witness = cell["witness"] or {}
    kind, got = witness.get("kind"), witness.get("got")
    raised = str(got).partition(": ")[0] if kind == "raised" and got else ""
    words = [cell["outcome"], kind if kind != cell["outcome"] else None, raised]
    return " ".join(filter(None, words))


def _change(before: Cell | None, after: Cell | None) -> Change | None:
    kind = _kind(before, after)
    return Change(kind, before, after) if kind else None


def _kind(before: Cell | None, after: Cell | None) -> str | None:
    was, now = _state(before), _state(after)
    unexpected = after is not None and is_unexpected(after)
    if before is None or after is None:
        return "broken" if unexpected else "added" if after else "removed"
    if was == "known" and now == "failed":
        return "no-longer-known"
    new_failure = unexpected and was not in ("failed", "known")
    if was != now and (new_failure or (was == "passed" and _lost(after))):
        return "broken"
    if was != now:
        return _crossed(was, now)
    # Ended alike: failed or not asked in another way, or gave another answer.
    if now in ("failed", "known", "unasked") and way(before) != way(after):
        return "other-way"
    if ended(before) != ended(after):
        return "broken" if unexpected else "other-way"
    return "relabelled" if before["label"] != after["label"] else None


def _crossed(was: str, now: str) -> str:
    if now == "unasked":
        return "dropped"
    if was == "unasked":
        return "judged"
    return "fixed" if now == "passed" else "now-known"


def _state(cell: Cell | None) -> str:
    if cell is None or cell["outcome"] not in ("pass", *FAILURES):
        return "unasked"
    if cell["outcome"] == "pass":
        return "passed"
    return "known" if cell["expectation"] == "known" else "failed"


def _lost(cell: Cell) -> bool:
    """Whether what passed before fails now, or nobody can say: what is not offered is no loss."""
    return cell["outcome"] in (*FAILURES, "not-run")


def _brief(change: Change) -> Record:
    before, after = change.before, change.after
    return {
        "id": change.cell["id"],
        "before": None if before is None else {"ended": ended(before), "label": before["label"]},
        "after": None if after is None else {"ended": ended(after), "label": after["label"]},
        "message": change.cell["message"],
    }


# --- Runs ----------------------------------------------------------------------------------------


def _settings(before: Header, after: Header) -> Iterator[Setting]:
    old, new = dict(_facts(before)), dict(_facts(after))
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield Setting(name, old.get(name, "none"), new.get(name, "none"))
    adapters = {e["name"]: e["adapter"] for e in before["implementations"]}
    for entry in after["implementations"]:
        name = entry["name"]
        if name in adapters and adapters[name] != entry["adapter"]:
            yield Setting(f"adapter of {name}", "one text", "another")


def _facts(header: Header) -> Iterator[tuple[str, str]]:
    yield "suite", header["suite"]["version"] or "unknown"
    yield "commit of the suite", header["suite"]["commit"] or "unknown"
    yield "profile", header["profile"]
    yield "seed", str(header["seed"])
    for name in ("python", "platform", "machine", "processor"):
        yield name, str(header["host"][name] or "unknown")
    yield from header["packages"].items()
    for entry in header["implementations"]:
        if entry["distribution"] not in header["packages"]:
            version = " ".join(filter(None, (entry["distribution"], entry["version"])))
            yield entry["name"], version or "no version"


def _caveats(before: Header, after: Header) -> tuple[tuple[str, ...], bool]:
    """Why the cases may differ; and whether they can be the same at all."""
    said = [
        f"the {name} was {before[name]} and is {after[name]}"  # type: ignore[literal-required]
        for name in CORPUS
        if before[name] != after[name]  # type: ignore[literal-required]
    ]
    old, new = before["suite"], after["suite"]
    if old["version"] != new["version"]:
        said.append(f"the suite was {old['version']} and is {new['version']}")
    if said:
        return (f"Other cases were asked: {', '.join(said)}.",), False
    if old["commit"] != new["commit"] or "dirty" in str(new["commit"]):
        return ("The suite's own code may have changed: its commits differ.",), True
    return (), True


# --- Accuracy ------------------------------------------------------------------------------------

_Place = tuple[str, str, str, str]
_Errors = dict[tuple[str, str], Mapping[str, Any]]


def _accuracy(
    before: Results, after: Results, same_cases: bool
) -> tuple[tuple[Accuracy, ...], int, tuple[str, ...]]:
    """Where the largest error moved, how often it is the same, and where nothing can be said."""
    old, new = _measured(before.cells), _measured(after.cells)
    moved, same, incomparable = [], 0, []
    for place in (place for place in new if place in old):
        a, b = old[place], new[place]
        alike = [k for k in b if k in a and a[k]["count"] == b[k]["count"]] if same_cases else []
        if not alike:
            incomparable.append(f"{'/'.join(place[:3])} ({place[3]})")
            continue
        was, now = _largest(a[k] for k in alike), _largest(b[k] for k in alike)
        if was == now:
            same += 1
            continue
        left_out = {regime for _, regime in {*a, *b}.difference(alike)}
        moved.append(Accuracy(*place, was, now, tuple(sorted(left_out))))
    return tuple(sorted(moved, key=_distance, reverse=True)), same, tuple(incomparable)


def _measured(cells: Iterable[Cell]) -> dict[_Place, _Errors]:
    found: dict[_Place, _Errors] = {}
    for cell in cells:
        side = "gradient" if "gradient" in cell["property"] else "loss"
        place = (cell["implementation"], cell["device"], cell["dtype"], side)
        for regime, errors in (cell["accuracy"] or {}).items():
            found.setdefault(place, {})[cell["property"], regime] = errors
    return found


def _largest(errors: Iterable[Mapping[str, Any]]) -> Error:
    found = list(errors)
    return Error(*(max(_size(e[name]) for e in found) for name in ("max_ratio", "max_ulp")))


def _size(value: object) -> float:
    size = float(str(value))
    return math.inf if math.isnan(size) else size


def _distance(found: Accuracy) -> float:
    return abs(math.log(found.factor)) if 0 < found.factor < math.inf else math.inf
