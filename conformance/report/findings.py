"""What the pages say about single cells: findings, evidence, behaviours, what was not judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from conformance.records.replay_script import replay_case, replay_prelude
from conformance.report.charts import figure
from conformance.report.disagreement import FAILED, Split, witness_size
from conformance.report.harm import severity, worst_first
from conformance.report.run import Cell, Column, Run
from conformance.report.status import Status
from conformance.report.witness import LittleTable, little_table

LARGEST_SCRIPT = 12_000
"""Characters of a replay script that a page holds; the records have every case whole."""

MOST_WITNESSES = 200
"""Counterexamples that a page prints; whoever has more failures than that has one main fault."""

_SHOULD_BE = re.compile(r"\bshould be ([^\n;]+?)(?: \(off by [^\n)]*\))?\.?$", re.MULTILINE)

UNJUDGED = ("unsupported", "inapplicable", "not-run")


@dataclass(frozen=True)
class Finding:
    """A cell that did not pass, and its smallest counterexample if there is one."""

    cell: Cell
    table: LittleTable | None
    script: str
    """The second half of the replay script; empty where there is none, or it is too large."""

    @property
    def witness(self) -> Mapping[str, Any]:
        return self.cell.record["witness"] or {}

    @property
    def expected(self) -> str:
        """What was expected; empty where only the property's statement says so."""
        return expected_of(self.witness)


@dataclass(frozen=True)
class Entry:
    """A property of an implementation: how it ended in each dtype, and what was found."""

    slug: str
    cells: list[Cell]
    findings: list[Finding]

    @property
    def asked(self) -> list[str]:
        """The dtypes in which cases were executed."""
        return [cell.dtype for cell in self.cells if cell.record["regimes"]]

    @property
    def regimes(self) -> dict[str, list[int]]:
        """How many cases of each regime were executed, in each of these dtypes."""
        found = [cell.record["regimes"] for cell in self.cells if cell.record["regimes"]]
        names = dict.fromkeys(name for counts in found for name in counts)
        return {name: [counts.get(name, 0) for counts in found] for name in names}


@dataclass(frozen=True)
class Left:
    """A property that was not judged, in some dtypes."""

    slug: str
    dtypes: list[str]
    alone: bool
    """Whether the page says nothing else about the property: its permalink leads here."""


@dataclass(frozen=True)
class Sheet:
    """All about an implementation on a device."""

    column: Column
    prelude: str
    """The first half of each of its replay scripts; empty without the adapter's source."""
    failing: list[Entry]
    """The properties that did not pass everywhere, the worst first."""
    passing: dict[str, list[Entry]]
    """The others that were asked, by family."""
    unjudged: list[tuple[Status, str, list[Left]]]
    """What says nothing about it, by status and reason."""


@dataclass(frozen=True)
class Answer:
    """One answer to a behaviour's question, and who gives it (with dtypes where not in all)."""

    label: str
    names: list[str]


def sheet(run: Run, column: Column) -> Sheet:
    """Everything that the records say about an implementation on a device."""
    cells: dict[str, list[Cell]] = {}
    for slug in run.properties:
        found = [cell for dtype in run.dtypes if (cell := run.cell(column, slug, dtype))]
        if found:
            cells[slug] = found
    failing = {slug: found for slug, found in cells.items() if any(map(_detailed, found))}
    whole = _shown_whole(failing)
    ranked = dict.fromkeys(cell.slug for cell in worst_first(run, column))
    passing: dict[str, list[Entry]] = {}
    for slug, found in cells.items():
        if slug not in failing and any(cell.status.name not in UNJUDGED for cell in found):
            family = str(run.properties[slug]["family"])
            passing.setdefault(family, []).append(Entry(slug, found, []))
    source = column.about["adapter"]
    return Sheet(
        column,
        replay_prelude(source) if source else "",
        [
            Entry(slug, found, [_finding(c, c in whole) for c in found if _detailed(c)])
            for slug, found in ((slug, failing[slug]) for slug in ranked)
        ],
        passing,
        _unjudged(cells, {*failing, *(e.slug for group in passing.values() for e in group)}),
    )


def _detailed(cell: Cell) -> bool:
    return cell.status.detailed


def _shown_whole(failing: Mapping[str, list[Cell]]) -> set[Cell]:
    """The cells whose counterexample is printed: the smallest of each property first."""
    ranked = [
        (rank, severity(cell), cell.id, cell)
        for cells in failing.values()
        for rank, cell in enumerate(
            sorted((c for c in cells if _detailed(c) and c.record["witness"]), key=witness_size)
        )
    ]
    return {cell for *_, cell in sorted(ranked, key=lambda r: r[:3])[:MOST_WITNESSES]}


def _finding(cell: Cell, whole: bool) -> Finding:
    witness = cell.record["witness"]
    if not witness or not whole:
        return Finding(cell, None, "")
    script = replay_case(witness)
    small = len(script) <= LARGEST_SCRIPT
    return Finding(cell, little_table(witness), script if small else "")


def _unjudged(
    cells: Mapping[str, list[Cell]], shown: set[str]
) -> list[tuple[Status, str, list[Left]]]:
    groups: dict[tuple[Status, str], dict[str, list[str]]] = {}
    for slug, found in cells.items():
        for cell in found:
            if cell.status.name in UNJUDGED:
                reason = str(cell.record["reason"] or "no reason was recorded")
                slugs = groups.setdefault((cell.status, reason), {})
                slugs.setdefault(slug, []).append(cell.dtype)
    left: list[tuple[Status, str, list[Left]]] = []
    for (status, reason), slugs in groups.items():
        entries = [Left(slug, dtypes, slug not in shown) for slug, dtypes in slugs.items()]
        shown = shown | slugs.keys()
        left.append((status, reason, entries))
    return left


def expected_of(witness: Mapping[str, Any]) -> str:
    """What a witness says was expected, or else its message: ``is inf, should be about 11.3``."""
    message = _SHOULD_BE.search(witness.get("message") or "")
    return str(witness.get("expected") or (message and message[1]) or "")


def behaviours(run: Run) -> list[tuple[str, list[Answer]]]:
    """The recorded behaviours side by side: for each property its answers, the usual one first."""
    found = []
    for slug, entry in run.properties.items():
        if entry["level"] == "behaviour":
            found.append((slug, _answers(run, slug)))
    return [(slug, answers) for slug, answers in found if answers]


def _answers(run: Run, slug: str) -> list[Answer]:
    names: dict[str, list[str]] = {}
    for column in run.columns:
        given: dict[str, list[str]] = {}
        for dtype in run.dtypes:
            cell = run.cell(column, slug, dtype)
            if cell and cell.status.name not in UNJUDGED:
                given.setdefault(cell.record["label"] or cell.status.name, []).append(dtype)
        for label, dtypes in given.items():
            where = f" ({', '.join(dtypes)})" if len(given) > 1 else ""
            names.setdefault(label, []).append(column.label + where)
    return [Answer(label, who) for label, who in sorted(names.items(), key=lambda i: -len(i[1]))]


def strip(split: Split, cell: Cell) -> Markup:
    """A cell's corpus as a strip: a tick for each case, tall and dark where it fails."""
    step = min(9.0, 280 / split.length)
    ways = {"pass": "", "bad": ""}
    for case, letter in enumerate(cell.record["corpus"]):
        x = round((case + 0.5) * step, 1)
        if letter == "p":
            ways["pass"] += f"M{x:g} 6v4"
        elif letter in FAILED:
            ways["bad"] += f"M{x:g} 1v14"
    parts = [Markup('<path class="{}" d="{}"/>').format(css, d) for css, d in ways.items() if d]
    failed = sum(letter in FAILED for letter in cell.record["corpus"])
    return figure(step * split.length, 16, parts, f"fails {failed} of {split.length} cases")
