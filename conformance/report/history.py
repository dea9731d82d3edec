"""Published runs in brief: who scored what, when, with which version.

A file a run, written once and never changed.  All that a site says about its runs comes from them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from conformance.errors import RecordsError
from conformance.records.brief import read_brief
from conformance.records.results import Results
from conformance.records.schema import VERSION, Record, check, to_json
from conformance.report import accuracy, verdict
from conformance.report.run import Column, Run, arrange

RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ-[0-9a-f]{6}", re.ASCII)
"""A run id as the suite makes them."""

_LIKE_A_RUN = re.compile(r"\d{4}-\d\d-\d\dt\d{6}z-[0-9a-f]{6}", re.ASCII)
"""What becomes of it: no other name may."""

_PLAIN = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)\b)[a-z0-9](?:[a-z0-9._-]{0,60}[a-z0-9])?")


def safe_name(name: str) -> str:
    """A name as that of a file, on any system: itself where it is plain, else with a hash.

    Different names never become one, not even where case does not count.
    """
    if RUN.fullmatch(name):
        return name.replace(":", "").lower()
    if _PLAIN.fullmatch(name) and not _LIKE_A_RUN.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"{plain or 'name'}~{digest}"


def entry(results: Results, digest: str) -> Record:
    """The brief record of a run whose results file has this SHA-256."""
    run, header = arrange(results.records()), results.header
    found: Record = {
        "kind": "history",
        "schema": VERSION,
        "run": header["run"],
        "started": header["started"],
        "suite": header["suite"]["version"],
        "commit": header["suite"]["commit"],
        "profile": header["profile"],
        "seed": header["seed"],
        "python": header["host"]["python"],
        "platform": header["host"]["platform"],
        "packages": header["packages"],
        "verdict": verdict.headline(run),
        "cells": len(run.cells),
        "records": digest,
        "implementations": [_standing(run, column) for column in run.columns],
    }
    check("history", found, f"run {header['run']}")
    return found


def _standing(run: Run, column: Column) -> Record:
    cells = run.of(column)
    found = verdict.score(cells)
    return {
        "name": column.name,
        "device": column.device,
        "distribution": column.about["distribution"],
        "version": column.about["version"],
        "passed": found.passed,
        "judged": found.judged,
        "applicable": found.applicable,
        "known": sum(cell.status.name == "known" and cell.counts for cell in cells),
        "unexpected": dict(
            sorted(Counter(cell.level for cell in cells if cell.unexpected).items())
        ),
        "accuracy": _largest_errors(run, column),
    }


def _largest_errors(run: Run, column: Column) -> list[Record]:
    """The largest errors of the loss and of the gradient in each dtype."""
    line = accuracy.total(run, column)
    sides = {"loss": line.loss, "gradient": line.gradient} if line else {}
    return [
        {"of": of, "dtype": dtype, "ratio": _short(errors.ratio), "ulp": _short(errors.ulp)}
        for of, side in sides.items()
        for dtype, errors in side.items()
    ]


def _short(size: float) -> float | str:
    """Four digits of a size, as the records write it."""
    return float(f"{size:.4g}") if math.isfinite(size) else str(size)


def write(record: Mapping[str, Any]) -> str:
    """The file of a record."""
    return to_json(record, indent=1) + "\n"


def read(folder: Path) -> list[Record]:
    """The records in a folder, the newest first.

    ``RecordsError`` for a file that is none, or is named as another run: what was published is
    never passed over.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        record = read_brief(path)
        if path.stem != safe_name(record["run"]):
            raise RecordsError(f"{path}: holds the run {record['run']}, and is named otherwise")
        found.append(record)
    return sorted(found, key=lambda record: (record["started"], record["run"]), reverse=True)


# --- Standings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Largest:
    """The largest error of the loss or of the gradient in a dtype."""

    of: str
    dtype: str
    ratio: float
    """As a share of its bound."""
    ulp: float


@dataclass(frozen=True)
class Standing:
    """How an implementation stood in a run, on one device or over all."""

    name: str
    device: str
    version: str
    score: verdict.Score
    known: int
    unexpected: Mapping[str, int]
    accuracy: tuple[Largest, ...]
    run: Mapping[str, Any]
    """The brief record of the run."""

    @property
    def surprises(self) -> int:
        return sum(self.unexpected.values())

    def worst(self, of: str) -> Largest | None:
        """Of the largest errors of the loss, or of the gradient, the one closest to its bound."""
        found = (largest for largest in self.accuracy if largest.of == of)
        return max(found, key=lambda largest: largest.ratio, default=None)


def standings(record: Mapping[str, Any]) -> list[Standing]:
    """All that took part in a run, each on each device."""
    return [
        Standing(
            name=found["name"],
            device=found["device"],
            version=" ".join(filter(None, (found["distribution"], found["version"]))),
            score=verdict.Score(found["passed"], found["judged"], found["applicable"]),
            known=found["known"],
            unexpected=found["unexpected"],
            accuracy=tuple(
                Largest(one["of"], one["dtype"], _size(one["ratio"]), _size(one["ulp"]))
                for one in found.get("accuracy", ())
            ),
            run=record,
        )
        for found in record["implementations"]
    ]


def _size(value: object) -> float:
    """A size as the records write it; not a number is beyond all others."""
    size = float(str(value))
    return math.inf if math.isnan(size) else size


def by_implementation(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Standing]]:
    """Each implementation's standings, the newest first, by name."""
    found: dict[str, list[Standing]] = {}
    for record in records:
        for standing in standings(record):
            found.setdefault(standing.name, []).append(standing)
    return dict(sorted(found.items()))


# --- Badges --------------------------------------------------------------------------------------


def badge(found: Iterable[Standing]) -> Record:
    """The badge of an implementation, over its devices in a run, as shields.io reads it.

    The score is what passed of what was judged, the coverage what was judged of all that applies;
    both are rounded down, so that 100 % means all.
    """
    devices = list(found)
    passed, judged, applicable = (
        sum(getattr(standing.score, name) for standing in devices)
        for name in ("passed", "judged", "applicable")
    )
    whole = verdict.Score(passed, judged, applicable)
    message = f"{whole.score} of {whole.coverage} asked".replace(" %", "%")
    return {
        "schemaVersion": 1,
        "label": "cross-entropy conformance",
        "message": message if judged else "not judged",
        "color": _colour(devices, whole),
    }


def _colour(devices: list[Standing], whole: verdict.Score) -> str:
    """By what failed: a must, a should, what was known, nothing."""
    unexpected = Counter[str]()
    for standing in devices:
        unexpected.update(standing.unexpected)
    if not whole.judged:
        return "lightgrey"
    if unexpected["must"] or unexpected["behaviour"]:
        return "red"
    if unexpected["should"]:
        return "orange"
    return "brightgreen" if whole.passed == whole.judged else "yellow"
