"""What a kill matrix amounts to, in words, as Markdown and as one page."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median

from hunt import ACCUSED, KILLS, NAMES_IT
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from jsonschema import validate

from conformance.records.schema import Record
from conformance.report import text
from conformance.report.pages import TEMPLATES as REPORT

TEMPLATES = Path(__file__).parent / "templates"

PROFILE = "quick"

FORMULA = ("loss-formula", "gradient-formula", "accurate")
"""The properties that compare with the formula and state nothing else."""

MEDIAN, WORST = 2.0, 20.0
"""Seconds from the start of judging to the kill, on one core."""


def _end(cell: Record) -> str:
    return f"{cell['outcome']}, {cell['message']}"


def _objects(**properties: str) -> Record:
    kinds = {name: {"type": kind} for name, kind in properties.items()}
    return {
        "type": "array",
        "items": {"type": "object", "properties": kinds, "required": list(properties)},
    }


_WHERE = {"property": "string", "dtype": "string", "seed": "integer"}

SCHEMA: Record = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A kill matrix",
    "type": "object",
    "properties": {
        "schema": {"const": 1},
        "suite": {"type": "string"},
        "started": {"type": "string"},
        "seconds": {"type": "number"},
        "profile": {"type": "string"},
        "seeds": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
        "complete": {"type": "boolean", "description": "every property, every implementation"},
        "properties": _objects(slug="string", family="string", level="string", statement="string"),
        "implementations": _objects(
            name="string",
            wing="string",
            module="string",
            says="string",
            fails="string",
            link="string",
            dtype="string",
            rare="boolean",
            without="array",
        ),
        "cells": _objects(
            **_WHERE, implementation="string", outcome="string", cases="integer", seconds="number"
        )
        | {"description": "asked to the first wrong answer, exact answers remembered"},
        "whole": _objects(
            **_WHERE, implementation="string", outcome="string", seconds="number", message="string"
        )
        | {"description": "judged as in a run: each exhibit where its fault is named"},
        "streams": _objects(**_WHERE, hash="string"),
    },
    "additionalProperties": False,
}
SCHEMA["required"] = list(SCHEMA["properties"])


@dataclass
class Square:
    """One implementation and one property: over all dtypes and seeds that were asked."""

    asked: int = 0
    killed: int = 0
    alone: int = 0
    """How often it dies without the formula too."""
    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    message: str = ""

    def add(self, cell: Record) -> None:
        dies = cell["outcome"] in KILLS
        self.asked += 1
        self.killed += dies
        self.alone += cell.get("without_formula", False)
        self.cases += cell["cases"]
        self.outcomes[cell["outcome"]] += 1
        self.message = self.message or cell.get("message", "")


class Kills:
    """Who kills whom."""

    def __init__(self, document: Record) -> None:
        self.document = document
        self.properties: dict[str, Record] = {p["slug"]: p for p in document["properties"]}
        rows = document["implementations"]
        self.faulty = {r["name"]: r for r in rows if r["wing"] == "faulty"}
        self.right = {r["name"]: r for r in rows if r["wing"] == "right"}
        self.squares: defaultdict[tuple[str, str], Square] = defaultdict(Square)
        for cell in document["cells"]:
            if cell["outcome"] != "unsupported":
                self.squares[cell["implementation"], cell["property"]].add(cell)

    def square(self, name: str, slug: str) -> Square | None:
        return self.squares.get((name, slug))

    @property
    def modules(self) -> dict[str, list[Record]]:
        """The exhibits by the kind of their fault."""
        found: dict[str, list[Record]] = {}
        for row in self.faulty.values():
            found.setdefault(row["module"], []).append(row)
        return found

    # -- kills -----------------------------------------------------------------------------------

    @cached_property
    def killers(self) -> dict[str, list[str]]:
        """Who kills each exhibit, the property that names its fault first."""
        found: dict[str, list[str]] = {name: [] for name in self.faulty}
        for (name, slug), square in self.squares.items():
            if name in found and square.killed:
                found[name].append(slug)
        for name, slugs in found.items():
            slugs.sort(key=lambda slug: slug != self.faulty[name]["fails"])
        return found

    @cached_property
    def killed(self) -> dict[str, list[str]]:
        """Whom each property kills."""
        found: dict[str, list[str]] = {slug: [] for slug in self.properties}
        for name, slugs in self.killers.items():
            for slug in slugs:
                found[slug].append(name)
        return found

    def only(self, slug: str) -> list[str]:
        """Whom nobody else kills."""
        return [name for name in self.killed[slug] if self.killers[name] == [slug]]

    def alone(self, slug: str) -> list[str]:
        """Whom the property kills without any comparison with the formula."""
        return [name for name in self.killed[slug] if self.squares[name, slug].alone]

    @property
    def by_formula_only(self) -> list[str]:
        """Whom no property kills but those that are the formula and nothing else."""
        return [n for n, slugs in self.killers.items() if slugs and set(slugs) <= set(FORMULA)]

    @property
    def survivors(self) -> list[str]:
        """Whom nobody kills."""
        return [name for name, slugs in self.killers.items() if not slugs]

    @property
    def idle(self) -> list[str]:
        """Properties that kill nobody."""
        return [slug for slug, names in self.killed.items() if not names]

    @property
    def leaning(self) -> list[str]:
        """Properties that kill nobody without the formula: they are the formula, somewhere."""
        return [slug for slug in self.properties if self.killed[slug] and not self.alone(slug)]

    @property
    def seconds(self) -> list[float]:
        """What judging cost wherever a fault was killed by the property that names it: the whole
        cell with its minimiser, which is more than the time to the kill."""
        return [w["seconds"] for w in self.document["whole"] if w["implementation"] in self.faulty]

    @property
    def right_cases(self) -> int:
        """How many cases were put to those who are right."""
        return sum(c["cases"] for c in self.document["cells"] if c["implementation"] in self.right)

    # -- what must not be ------------------------------------------------------------------------

    def faults(self) -> Iterator[str]:
        """What the suite is to be blamed for."""
        for cell in self.document["whole"]:
            name, where = cell["implementation"], f"{cell['dtype']}, seed {cell['seed']}"
            if name not in self.faulty and cell["outcome"] != "pass":
                yield f"{cell['property']} ({where}) for who is right: {_end(cell)}"
        for name, slug, seeds in self.lucky():
            yield f"{name} survives {slug} with seeds {seeds}"
        for cell in self.document["cells"]:
            row = self.right.get(cell["implementation"])
            where = f"{cell['property']} in {cell['dtype']}, seed {cell['seed']}"
            if cell["outcome"] == "broken":
                yield f"{cell['implementation']}: {cell['message']} ({where})"
            elif row and cell["outcome"] in ACCUSED and cell["property"] not in row["without"]:
                yield f"{row['name']} is right, and accused by {where}: {cell['message']}"
        if self.document["complete"]:
            yield from (f"{slug} kills nothing" for slug in self.idle)

    def lucky(self) -> Iterator[tuple[str, str, list[int]]]:
        """Exhibits, and the seeds with which the property that names the fault does not kill."""
        seeds = defaultdict(list)
        for cell in self.document["whole"]:
            row = self.faulty.get(cell["implementation"])
            if row and not row["rare"] and cell["outcome"] not in NAMES_IT:
                seeds[row["name"]].append(cell["seed"])
        for name, missed in seeds.items():
            yield name, self.faulty[name]["fails"], missed

    # -- telling ---------------------------------------------------------------------------------

    def in_words(self) -> str:
        """Some sentences."""
        asked, seconds = self.document, self.seconds
        lines = [
            f"{text.counted(len(self.faulty), 'exhibit')}, "
            f"{text.counted(len(self.properties), 'property', 'properties')}, "
            f"{text.counted(len(asked['seeds']), 'seed')}, "
            f"{text.counted(len(asked['cells']), 'cell')} in {text.seconds(asked['seconds'])}.",
        ]
        if self.faulty:
            lines += [
                f"Nobody kills: {self._names(self.survivors)}.",
                f"Only the formula kills: {self._names(self.by_formula_only)}.",
                f"Kill nothing: {self._names(self.idle)}.",
                f"Kill nothing without the formula: {self._names(self.leaning)}.",
            ]
        if seconds:
            lines.append(
                f"Judging where a fault is named, to the end of the cell: median "
                f"{text.seconds(median(seconds))}, at worst {text.seconds(max(seconds))}."
            )
        if self.right:
            lines.append(
                f"{text.counted(len(self.right), 'right implementation')} answered "
                f"{text.counted(self.right_cases, 'case')}."
            )
        return "\n".join(lines)

    @staticmethod
    def _names(names: Iterable[str]) -> str:
        return text.listed(names, most=12) or "none"

    def as_markdown(self) -> str:
        """The matrix in two tables: by property and by exhibit."""
        lines = ["# Kill matrix", "", self.in_words().replace("\n", "  \n"), ""]
        if faults := list(self.faults()):
            lines += ["## Faults of the suite", "", *(f"- {fault}" for fault in faults), ""]
        lines += ["| property | kills | only killer | without the formula |", "|---|--:|--:|--:|"]
        lines += [
            f"| {s} | {len(self.killed[s])} | {len(self.only(s))} | {len(self.alone(s))} |"
            for s in self.properties
        ]
        lines += ["", "| exhibit | named by | killers | modelled on |", "|---|---|--:|---|"]
        lines += [
            f"| {name} | {row['fails']} | {len(self.killers[name])} | {row['link']} |"
            for name, row in self.faulty.items()
        ]
        return "\n".join(lines) + "\n"

    def as_page(self) -> str:
        """The matrix as one page, complete in itself."""
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FileSystemLoader(REPORT)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            counted=text.counted, link=text.link, listed=text.listed, seconds=text.seconds
        )
        template = environment.get_template("kill-matrix.html.j2")
        return template.render(kills=self, document=self.document, median=median)


def write(document: Record, folder: Path) -> None:
    """Write ``kill-matrix.json``, ``.md`` and ``.html``."""
    validate(document, SCHEMA)
    kills = Kills(document)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "json": json.dumps(document, separators=(",", ":")),
        "md": kills.as_markdown(),
        "html": kills.as_page(),
    }
    for suffix, page in pages.items():
        (folder / f"kill-matrix.{suffix}").write_text(page, encoding="utf-8")
