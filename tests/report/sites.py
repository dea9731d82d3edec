"""Folders with every kind of page: an ordinary site, and one made of hostile records."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from synthetic import Record, records
from variations import HOSTILE, hostile

from conformance.records.diff import diff
from conformance.records.results import Results
from conformance.records.schema import to_json
from conformance.report import build_report, changes, history
from conformance.report.prose import read_prose, write_prose
from conformance.report.publish import write_site

FINDINGS = Path(__file__).parents[2] / "docs" / "findings.md"
LONG = {"message": "m" * 100_000, "reason": "\u05d0\u05d1\u05d2 " * 25_000}
"""A message that nobody can break into lines, and one that is read from the right."""


def published(folder: Path) -> dict[str, str]:
    """A site of two runs; the pages of each kind, by what they are."""
    runs = []
    for day, found in enumerate((records(), later()), 1):
        moment = f"2026-11-0{day}T12:00:00Z"
        found[0] |= {"run": f"{moment}-ab12cd", "started": moment}
        runs.append(_results(found))
        name = history.safe_name(found[0]["run"])
        build_report(found, folder / "site" / "runs" / name)
        brief = folder / "site" / "history" / f"{name}.json"
        brief.parent.mkdir(parents=True, exist_ok=True)
        brief.write_text(history.write(history.entry(runs[-1], "0" * 64)), "utf-8")
    run = f"site/runs/{name}/"
    (folder / run / "changes.html").write_text(
        changes.render(diff(*runs), report="index.html", site="../../index.html"), "utf-8"
    )
    write_prose(read_prose(FINDINGS), folder / "site", back="all runs")
    write_site(folder / "site")
    return {
        "site": "site/index.html",
        "history": "site/history.html",
        "index": run + "index.html",
        "implementation": run + "implementations/numpy-naive.html",
        "faultless": run + "implementations/jax-log-softmax.html",
        "lesson": run + "softmax-log-nll.html",
        "diff": run + "changes.html",
        "findings": "site/findings.html",
    }


def _results(found: list[Any]) -> Results:
    cells, curves = (tuple(r for r in found if r["kind"] == kind) for kind in ("cell", "curve"))
    return Results(found[0], cells, curves, found[-1] if found[-1]["kind"] == "footer" else None)


def later() -> list[Record]:
    """The run, with another torch: something broke, something was fixed, errors moved."""
    found = records()
    found[0]["packages"]["torch"] = "2.14.0"
    for entry in found[0]["implementations"]:
        if entry["distribution"] == "torch":
            entry["version"] = "2.14.0"
    cells = [r for r in found if r["kind"] == "cell"]
    witness = next(c["witness"] for c in cells if c["witness"])
    for cell in [c for c in cells if c["outcome"] == "pass" and c["level"] == "must"][:3]:
        cell |= {"outcome": "fail", "message": "the loss is inf", "witness": witness}
    known = next(c for c in cells if c["expectation"] == "known")
    known |= {"outcome": "pass", "expectation": None, "witness": None, "reason": None}
    measured = next(c["accuracy"] for c in cells if c["accuracy"])
    measured["typical"] |= {"max_ratio": 0.999}
    return found


def poisoned(folder: Path) -> dict[str, str]:
    """The same kinds of pages, where every text is hostile, or endless, and numbers are none."""
    found = [_worse(hostile(r)) for r in records()]
    build_report(found, folder)
    (folder / "diff.html").write_text(changes.render(_difference(found)), "utf-8")
    for n in (1, 2):
        brief = _brief(n)
        path = folder / "site" / "history" / f"{history.safe_name(brief['run'])}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_json(brief), "utf-8")
    write_site(folder / "site")
    pages = sorted((folder / "implementations").iterdir())
    return {
        "index": "index.html",
        "lesson": "softmax-log-nll.html",
        **{f"implementation {i}": f"implementations/{p.name}" for i, p in enumerate(pages[::4])},
        "diff": "diff.html",
        "site": "site/index.html",
        "history": "site/history.html",
    }


def _worse(record: Record) -> Record:
    if record["kind"] == "cell" and record["outcome"] == "fail":
        record |= LONG
    if record["kind"] == "cell" and record["worst"]:
        for answer in filter(None, (record["worst"], record.get("most_ulp"))):
            answer |= {"ratio": "nan", "ulp": "inf"}
    for errors in (record.get("accuracy") or {}).values():
        errors |= {"max_ratio": "nan", "max_ulp": "inf"}
    if record["kind"] == "curve":
        for point in record["points"][::7]:
            point |= {"fused": "nan", "chain": "-inf"}
        record["points"][0] |= {"exact": "nan"}
        record["points"][1] |= {"exact": "inf"}
    return record


def _difference(found: list[Record]) -> Any:
    before, after = _results(found), _results(copy.deepcopy(found))
    after.header["packages"][HOSTILE] = "v" * 100
    for cell in [c for c in after.cells if c["outcome"] == "pass"][:9]:
        cell.update(outcome="fail", **LONG)  # type: ignore[typeddict-item]
    return diff(before, after)


def _brief(n: int) -> Record:
    text = (HOSTILE.replace("\ud800", "") + "\u05d0" * 100)[:100]
    numbers = {"passed": 1, "judged": 2, "applicable": 3, "known": 0, "unexpected": {"must": 1}}
    sizes = [{"ratio": "nan", "ulp": "inf"}, {"ratio": 1e-300, "ulp": 0}, {"ratio": 0, "ulp": 1}]
    return {
        "kind": "history",
        "schema": 1,
        "run": f"2026-11-0{n}T12:00:00Z-ab12cd",
        "started": f"2026-11-0{n}T12:00:00Z",
        "suite": text,
        "commit": text,
        "profile": "<script>alert(1)<" + "p" * 80,
        "seed": 0,
        "python": text,
        "platform": "m" * 500,
        "packages": {text: text},
        "verdict": HOSTILE.replace("\ud800", "") + "v" * 800,
        "cells": 18,
        "records": "0" * 64,
        "implementations": [
            numbers
            | {
                "name": name,
                "device": device,
                "distribution": "d" * 100,
                "version": f"{n}{text}"[:99],
            }
            | {"accuracy": [{"of": "loss", "dtype": "<b>" + "f" * 90} | size for size in sizes]}
            for name in ("<script>alert(1)<\"'>", "n" * 100, "\u05d0" * 50)
            for device in ("cpu", "<img>" + "c" * 90)
        ],
    }
