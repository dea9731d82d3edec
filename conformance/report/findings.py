"""What the page says about single cells: findings, behaviours, what was not judged, strips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from conformance.records.replay_script import replay_case, replay_prelude
from conformance.report.charts import figure
from conformance.report.disagreement import FAILED, Split, witness_size
from conformance.report.run import Cell, Column, Run
from conformance.report.status import Status
from conformance.report.verdict import severity
from conformance.report.witness import LittleTable, little_table

LARGEST_SCRIPT = 12_000
"""Characters of a replay script that the page holds; the records have every case whole."""


MOST_WITNESSES = 200
"""Counterexamples that the page prints; a run with more failures than that has one main fault."""


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


@dataclass(frozen=True)
class Implementation:
    """The findings of an implementation by property, the worst property first."""

    column: Column
    prelude: str
    """The first half of each of its replay scripts; empty without the adapter's source."""
    findings: dict[str, list[Finding]]


@dataclass(frozen=True)
class Answer:
    """One answer to a behaviour's question, and who gives it (with dtypes where not in all)."""

    label: str
    names: list[str]


def by_implementation(run: Run) -> list[Implementation]:
    """What did not pass, for every implementation of the run."""
    whole = _shown_whole(run)
    found = []
    for column in run.columns:
        groups: dict[str, list[Finding]] = {}
        for cell in sorted(filter(lambda c: c.status.detailed, run.of(column)), key=severity):
            groups.setdefault(cell.slug, []).append(_finding(cell, cell in whole))
        for group in groups.values():
            group.sort(key=lambda f: run.dtypes.index(f.cell.dtype))
        source = column.about["adapter"]
        found.append(Implementation(column, replay_prelude(source) if source else "", groups))
    return found


def _shown_whole(run: Run) -> set[Cell]:
    """The cells whose counterexample is printed: the smallest of each property first."""
    groups: dict[tuple[Column, str], list[Cell]] = {}
    for cell in run.cells:
        if cell.status.detailed and cell.record["witness"]:
            groups.setdefault((cell.column, cell.slug), []).append(cell)
    ranked = [
        (rank, severity(cell), cell.id, cell)
        for group in groups.values()
        for rank, cell in enumerate(sorted(group, key=witness_size))
    ]
    return {cell for *_, cell in sorted(ranked, key=lambda r: r[:3])[:MOST_WITNESSES]}


def _finding(cell: Cell, whole: bool) -> Finding:
    witness = cell.record["witness"]
    if not witness or not whole:
        return Finding(cell, None, "")
    script = replay_case(witness)
    small = len(script) <= LARGEST_SCRIPT
    return Finding(cell, little_table(witness), script if small else "")


def unjudged(run: Run, column: Column) -> list[tuple[Status, str, dict[str, list[str]]]]:
    """What says nothing about an implementation, by reason: (status, reason, slug -> dtypes)."""
    groups: dict[tuple[Status, str], dict[str, list[str]]] = {}
    for cell in run.of(column):
        if cell.status.name in ("unsupported", "not-run"):
            reason = str(cell.record["reason"] or "no reason was recorded")
            groups.setdefault((cell.status, reason), {}).setdefault(cell.slug, []).append(
                cell.dtype
            )
    return [(status, reason, slugs) for (status, reason), slugs in groups.items()]


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
            if cell and cell.status.name not in ("unsupported", "not-run"):
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
