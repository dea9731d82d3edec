"""The difference between two runs as rows: for the terminal and for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.records.diff import BREAKING, KINDS, Accuracy, Change, Diff, ended, way
from conformance.report.pages import page
from conformance.report.text import clip, counted, listed, number

WHOLESALE = ("added", "removed")
"""Kinds that come by the hundred, when an implementation or a property is new: a row for each
implementation is enough."""

TITLES = {
    "broken": "Broken",
    "no-longer-known": "No longer known",
    "fixed": "Fixed",
    "now-known": "Now known",
    "other-way": "Fails in another way",
    "relabelled": "Behaves differently",
    "judged": "Newly asked",
    "dropped": "No longer asked",
    "added": "Added",
    "removed": "Removed",
}


@dataclass(frozen=True)
class Row:
    """What became of a property of an implementation, in some dtypes."""

    implementation: str
    device: str
    what: str
    """The property, or how many cells."""
    level: str
    dtypes: tuple[str, ...]
    was: str
    now: str
    says: str


def rows(diff: Diff, kind: str) -> list[Row]:
    """The changes of a kind, those of one property in several dtypes together."""
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in diff.of(kind):
        cell = change.cell
        key: tuple[str, ...] = (cell["implementation"], cell["device"])
        if kind not in WHOLESALE:
            key += (cell["property"], *_from_to(change))
        groups.setdefault(key, []).append(change)
    return [_wholesale(g) if kind in WHOLESALE else _row(g) for g in groups.values()]


def sections(diff: Diff) -> list[tuple[str, str, int, list[Row]]]:
    """(title, explanation, how many cells, rows) of each kind that occurs."""
    return [
        (TITLES[kind], meaning, len(found), rows(diff, kind))
        for kind, meaning in KINDS.items()
        if (found := diff.of(kind))
    ]


def verdict(diff: Diff) -> str:
    """The difference in a sentence."""
    return f"{headline(diff)}: {tally(diff)}."


def headline(diff: Diff) -> str:
    """Whether something broke, and how much."""
    broke = sum(len(diff.of(kind)) for kind in BREAKING)
    return f"{counted(broke, 'cell')} broke" if broke else "Nothing broke"


def tally(diff: Diff) -> str:
    """How many cells changed in which way besides, and how many did not."""
    words = {
        "fixed": "fixed",
        "now-known": "now known",
        "other-way": "failing in another way",
        "relabelled": "behaving differently",
        "judged": "newly asked",
        "dropped": "no longer asked",
        "added": "added",
        "removed": "removed",
    }
    changed = [f"{n:,} {word}" for kind, word in words.items() if (n := len(diff.of(kind)))]
    return listed([*changed, f"{diff.unchanged:,} unchanged"], most=len(words) + 1)


def accuracy_in_words(found: Accuracy) -> str:
    """``better, 0.5 of what it was``."""
    word = "better" if found.better else "worse"
    return f"{word}, {number(found.factor)} times what it was"


def _row(group: list[Change]) -> Row:
    """One row; what it says is how it fails, or how it failed."""
    cell, before = group[0].cell, group[0].before
    said = cell["message"] or cell["reason"] or (before and before["message"]) or ""
    was, now = _from_to(group[0])
    return Row(
        implementation=cell["implementation"],
        device=cell["device"],
        what=cell["property"],
        level=cell["level"],
        dtypes=tuple(change.cell["dtype"] for change in group),
        was=was,
        now=now,
        says=clip(" ".join(said.split()), 160),
    )


def _from_to(change: Change) -> tuple[str, str]:
    """How it ended before and now: a choice point's label, else as much as tells them apart."""
    before, after = change.before, change.after
    if change.kind == "relabelled" and before and after:
        return before["label"] or "no answer", after["label"] or "no answer"
    was, now = ended(before), ended(after)
    if was == now and before and after:
        return way(before), way(after)
    return was, now


def _wholesale(group: list[Change]) -> Row:
    cell = group[0].cell
    return Row(
        implementation=cell["implementation"],
        device=cell["device"],
        what=counted(len(group), "cell"),
        level="",
        dtypes=tuple(dict.fromkeys(change.cell["dtype"] for change in group)),
        was=_counts(change.before is not None and ended(change.before) for change in group),
        now=_counts(change.after is not None and ended(change.after) for change in group),
        says=listed(dict.fromkeys(change.cell["property"] for change in group), most=4),
    )


def _counts(words: Iterable[str | bool]) -> str:
    found = Counter(word for word in words if isinstance(word, str))
    return ", ".join(f"{n} {word}" for word, n in found.most_common()) or "absent"


def render(diff: Diff, *, report: str = "", site: str = "") -> str:
    """The page of a difference; ``report`` and ``site``: the addresses it leads back to."""
    return page(
        "diff.html.j2",
        diff=diff,
        report=report,
        site=site,
        headline=headline(diff),
        tally=tally(diff),
        sections=sections(diff),
        in_words=accuracy_in_words,
    )
