"""A site of static files: the report of each published run, an index, a history, badges.

    DIR/index.html              the runs, newest first, and where each implementation stands
    DIR/history.html            each implementation's scores, by version
    DIR/latest/                 leads to the newest run, and to the newest page of each name
    DIR/runs/<run>/             the report of a run, its records, what changed since the one before
    DIR/history/<run>.json      the run in brief: all of the above but runs/ is made of these
    DIR/badges/<name>.json      for shields.io

A run is written beside the others and renamed into place; its brief record makes it count; then
each page is replaced in one step.  Whenever that is cut short, the site is whole, and publishing
again completes it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.errors import RecordsError, StorageError
from conformance.records.diff import diff
from conformance.records.results import JUDGED, Results, read_results
from conformance.records.schema import to_json
from conformance.records.writer import claimed
from conformance.report import changes, history, trend
from conformance.report.build import build_report
from conformance.report.pages import page
from conformance.report.text import clip, counted, listed

CHANGES = "changes.html"
RECORDS = "results.jsonl"


@dataclass(frozen=True)
class Published:
    """What publishing came to."""

    page: Path
    """The run's report."""
    index: Path
    new: bool
    """Whether the run was not there before."""
    warnings: tuple[str, ...]


def publish(path: Path, site: Path, catalogue: Mapping[str, Sequence[str]]) -> Published:
    """Add the run in a results file to a site, which is made if need be.

    ``catalogue`` has the slugs of every property, by the version of the suite where that is known.
    ``RecordsError`` where the records are no evidence (see ``refusal``), where the site has other
    records of that run, and where something cannot be read.  ``StorageError`` where the site cannot
    be written, ``UsageError`` where somebody else publishes there.
    """
    results = read_results(path)
    if reason := refusal(results, catalogue.get(results.header["suite"]["version"] or "", ())):
        raise RecordsError(f"{path} is not published: {reason}")
    try:
        site.mkdir(parents=True, exist_ok=True)
        with claimed(site):
            return _publish(path, results, site)
    except OSError as error:
        raise StorageError(f"{site}: cannot be written: {error.strerror or error}") from None


def refusal(results: Results, slugs: Sequence[str] = ()) -> str | None:
    """Why the records of a run say too little about implementations; None where they do not.

    They are incomplete, or of a part of the properties (those of the suite are ``slugs``) or of the
    declared dtypes, which would make the score and the coverage those of that part.  Or nothing was
    judged, or nothing passed: a wrong implementation still passes something (it has a shape, it
    repeats itself), and one that never does cannot be told from a broken environment.
    """
    if not results.complete:
        return "it is truncated, without a footer: let the run come to its end"
    if shard := results.header.get("shard"):
        return f"it is the shard {shard} of a run: merge it with the others first"
    if not results.cells:
        return "nothing was asked: it has no cells"
    if lacking := _lacking(results, slugs):
        return f"it is a part of a run: {lacking}"
    outcomes = Counter(cell["outcome"] for cell in results.cells)
    counts = listed((f"{n:,} {outcome}" for outcome, n in outcomes.most_common()), most=9)
    judged = [cell for cell in results.cells if cell["outcome"] in JUDGED]
    if not judged:
        why = _usual(cell["reason"] for cell in results.cells)
        return f"nothing was judged ({counts}): {why}"
    if not outcomes["pass"]:
        why = _usual(cell["message"] for cell in judged)
        return (
            f"everything failed at once ({counts}), which is how a broken environment looks, and "
            f"no implementation: {why}"
        )
    return None


def _lacking(results: Results, slugs: Sequence[str]) -> str | None:
    """What of the suite, or of what an implementation declares, was not asked."""
    asked = {entry["slug"] for entry in results.header["properties"]}
    if missing := [slug for slug in slugs if slug not in asked]:
        return f"{len(missing)} of {len(slugs)} properties are missing: {listed(missing, most=4)}"
    for entry in results.header["implementations"]:
        name = entry["name"]
        seen = {cell["dtype"] for cell in results.cells if cell["implementation"] == name}
        if missing := [dtype for dtype in entry["capabilities"]["dtypes"] if dtype not in seen]:
            return f"{name} was not asked in {listed(missing)}"
    return None


def _usual(said: Any) -> str:
    """What was said most often."""
    found = Counter(text for text in said if text)
    return clip(" ".join(found.most_common(1)[0][0].split()), 300) if found else "nobody said why"


def _publish(path: Path, results: Results, site: Path) -> Published:
    run, content = results.header["run"], path.read_bytes()
    name, digest = history.safe_name(run), hashlib.sha256(content).hexdigest()
    folder, brief = site / "runs" / name, site / "history" / f"{name}.json"
    before = history.read(brief.parent)
    known = next((record for record in before if record["run"] == run), None)
    if known and known["records"] != digest:
        raise RecordsError(
            f"{site} has other records of the run {run}: what is published is never changed"
        )
    warnings = list(_warnings(results))
    if not known:
        warnings += _write_run(results, content, folder, _previous(before, results, site))
        _put(brief, history.write(history.entry(results, digest)))
    index = write_site(site)
    return Published(folder / "index.html", index, known is None, tuple(warnings))


def _warnings(results: Results) -> list[str]:
    """Who took part without evidence."""
    found = []
    for entry in results.header["implementations"]:
        cells = [c for c in results.cells if c["implementation"] == entry["name"]]
        judged = sum(cell["outcome"] in JUDGED for cell in cells)
        if not any(cell["outcome"] == "pass" for cell in cells):
            what = (
                f"none of {counted(judged, 'judged cell')} passed" if judged else "nothing judged"
            )
            found.append(f"{entry['name']}: {what}; is its environment whole?")
    return found


def _write_run(results: Results, content: bytes, folder: Path, previous: Path | None) -> list[str]:
    """The folder of a run, made beside the others and renamed into place."""
    draft, warnings = folder.with_name(f".{folder.name}.draft"), []
    for leftover in (draft, folder):  # of an attempt that was cut short: no brief record names it
        if leftover.exists():
            shutil.rmtree(leftover)
    draft.mkdir(parents=True)
    (draft / RECORDS).write_bytes(content)
    build_report(results.records(), draft)
    if previous:
        try:
            (draft / CHANGES).write_text(
                changes.render(diff(read_results(previous), results)), "utf-8"
            )
        except RecordsError as error:  # of an older suite, say: no reason not to publish this one
            warnings.append(f"no page of what changed: {error}")
    draft.rename(folder)
    return warnings


def _previous(records: Sequence[Mapping[str, Any]], results: Results, site: Path) -> Path | None:
    """The records of the newest run before this one that asked the same cases."""
    header = results.header
    for record in records:
        alike = (record["profile"], record["seed"]) == (header["profile"], header["seed"])
        path = site / "runs" / history.safe_name(record["run"]) / RECORDS
        if alike and record["started"] < header["started"] and path.exists():
            return path
    return None


# --- The site ------------------------------------------------------------------------------------


def write_site(site: Path) -> Path:
    """Make everything but the runs themselves anew, and return the index.

    ``RecordsError`` where a brief record is broken; ``OSError`` where a file cannot be written.
    """
    records = history.read(site / "history")
    standings = history.by_implementation(records)
    names = {record["run"]: history.safe_name(record["run"]) for record in records}
    for name, found in standings.items():
        newest = [standing for standing in found if standing.run is found[0].run]
        content = to_json(history.badge(newest), indent=1) + "\n"
        _put(site / "badges" / f"{history.safe_name(name)}.json", content)
    for stub, target in _latest(site, list(names.values())).items():
        _put(site / "latest" / stub, page("latest.html.j2", target=target))
    changed = {run for run, name in names.items() if (site / "runs" / name / CHANGES).exists()}
    shared = {"records": records, "standings": standings, "names": names, "changed": changed}
    shared["safe"] = history.safe_name  # type: ignore[assignment]
    _put(site / "history.html", page("history.html.j2", trend=trend, **shared))
    _put(site / "index.html", page("site.html.j2", **shared))
    return site / "index.html"


def _latest(site: Path, names: Sequence[str]) -> dict[str, str]:
    """For each page of any run, the address of the newest one of that name, from ``latest/``."""
    found: dict[str, str] = {}
    for name in names:
        folder = site / "runs" / name
        for path in sorted(folder.rglob("*.html")):
            stub = path.relative_to(folder).as_posix()
            found.setdefault(stub, "../" * (stub.count("/") + 1) + f"runs/{name}/{stub}")
    return found


def _put(path: Path, content: str) -> None:
    """Replace a file in one step, unless it is the same."""
    if path.exists() and path.read_text("utf-8") == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(content, "utf-8")
    draft.replace(path)
