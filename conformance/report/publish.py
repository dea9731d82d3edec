"""A site of static files: the report of each published run, an index, a history, badges.

    DIR/index.html              the runs, newest first, and where each implementation stands
    DIR/history.html            each implementation's scores, by version
    DIR/latest/                 leads to the newest run, and to the newest page of each name
    DIR/runs/<run>/             the report of a run, its records (compressed), what changed since
                                the one before; the kill matrix, where there was one beside the
                                records or in DIR when it was published
    DIR/history/<run>.json      the run in brief: all of the above but runs/ is made of these
    DIR/badges/<name>.json      for shields.io
    DIR/findings.html           what reasons call docs/findings.md, made of findings.md and the
                                scripts beside it; where somebody gave them

The records and the brief records never change; every other page is made of them, and is the same in
whatever order the runs came.

A run is written beside the others and renamed into place; its brief record makes it count; then
each page is replaced in one step.  Whenever that is cut short, the site is whole, and publishing
again completes it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from conformance.errors import RecordsError, StorageError
from conformance.records.diff import diff
from conformance.records.packed import SUFFIX, packed
from conformance.records.results import JUDGED, Results, read_results
from conformance.records.schema import Record, read_content, to_json
from conformance.records.writer import claimed
from conformance.report import changes, history, trend
from conformance.report.build import build_report
from conformance.report.pages import page, put
from conformance.report.prose import Prose, keep, read_prose, write_prose
from conformance.report.site import FINDINGS, FINDINGS_SOURCE, INDEX, KILL_MATRIX
from conformance.report.text import clip, counted, listed
from conformance.report.witnesses import seen_in

CHANGES = "changes.html"
SITE = "../../index.html"
"""The site's index, from the folder of a run."""
RECORDS = "results.jsonl" + SUFFIX


@dataclass(frozen=True)
class Published:
    """What publishing came to."""

    page: Path
    """The run's report."""
    index: Path
    new: bool
    """Whether the run was not there before."""
    warnings: tuple[str, ...]


def publish(
    path: Path, site: Path, catalogue: Mapping[str, Sequence[str]], prose: Prose | None = None
) -> Published:
    """Add the run in a results file to a site, which is made if need be.

    ``catalogue`` has the slugs of every property, by the version of the suite where that is known;
    ``prose`` explains findings, and replaces what the site had.
    ``RecordsError`` where the records are no evidence (see ``refusal``), where the site has other
    records of that run, and where something cannot be read.  ``StorageError`` where the site cannot
    be written, ``UsageError`` where somebody else publishes there.
    """
    results = read_results(path)
    if reason := refusal(results, catalogue.get(results.header["suite"]["version"] or "", ())):
        raise RecordsError(f"{path} is not published: {reason}")
    with _ours(site):
        fresh = prose is not None and not (site / FINDINGS).exists()
        if prose:
            keep(prose, site)
            write_prose(prose, site, back="all runs")
        done = _publish(path, results, site)
        _explain(site)
        if fresh:  # the pages of runs that were there before lead to it, too
            _remake(site)
        return done


@dataclass(frozen=True)
class Refreshed:
    """A site whose pages were made anew."""

    index: Path
    runs: int
    warnings: tuple[str, ...]


def refresh(site: Path, prose: Prose | None = None) -> Refreshed:
    """Make every page of a site anew from its records, and from ``prose`` or what it has of that.

    After the suite's pages changed, or when runs of another site were put beside its own.  Errors
    are those of ``publish``; ``RecordsError`` also where a run's records are not what its brief
    record says they are, ``UsageError`` where a script of its findings is missing.
    """
    if not (site / "history").is_dir():
        raise RecordsError(f"{site}: no published runs; `conformance publish RESULTS` adds one")
    with _ours(site):
        if prose:
            keep(prose, site)
        _explain(site)
        return _remake(site)


def _explain(site: Path) -> None:
    """The page that explains findings; it leads to the newest run of each implementation."""
    if not (site / FINDINGS_SOURCE).exists():
        return
    seen, names, read = dict[tuple[str, str], str](), set[str](), _reader(site)
    for record in history.read(site / "history"):
        here = {entry["name"] for entry in record["implementations"]}
        if new := here - names:
            folder = _folder(record, site).relative_to(site).as_posix() + "/"
            found = seen_in(read(record).records(), folder)
            seen |= {place: address for place, address in found.items() if place[0] in new}
            names |= here
    write_prose(read_prose(site / FINDINGS_SOURCE), site, back="all runs", seen=seen)


def _remake(site: Path) -> Refreshed:
    runs, read = history.read(site / "history"), _reader(site)
    warnings: list[str] = []
    for record in runs:
        build_report(read(record).records(), _folder(record, site), site=SITE)
        warnings += _write_changes(record, runs, site, read)
    return Refreshed(write_site(site), len(runs), tuple(warnings))


@contextmanager
def _ours(site: Path) -> Iterator[None]:
    """The site, made if need be, for nobody else to write in."""
    try:
        site.mkdir(parents=True, exist_ok=True)
        with claimed(site):
            yield
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
    run, content = results.header["run"], read_content(path)
    digest = hashlib.sha256(content).hexdigest()
    before = history.read(site / "history")
    known = next((record for record in before if record["run"] == run), None)
    if known and known["records"] != digest:
        raise RecordsError(
            f"{site} has other records of the run {run}: what is published is never changed"
        )
    warnings = list(_warnings(results))
    record = known or history.entry(results, digest)
    folder = _folder(record, site)
    if not known:
        proof = next(filter(Path.is_file, (path.with_name(KILL_MATRIX), site / KILL_MATRIX)), None)
        _write_run(results, content, folder, proof)
        put(site / "history" / f"{folder.name}.json", history.write(record))
    runs = history.read(site / "history")
    read, after = _reader(site), [later for later in runs if _before(later, runs) == record]
    for one in (record, *after):
        warnings += _write_changes(one, runs, site, read)
    return Published(folder / "index.html", write_site(site), known is None, tuple(warnings))


def _folder(record: Record, site: Path) -> Path:
    return site / "runs" / history.safe_name(record["run"])


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


def _write_run(results: Results, content: bytes, folder: Path, proof: Path | None) -> None:
    """The folder of a run, made beside the others and renamed into place.

    ``proof``: the kill matrix of that suite, where somebody made one.
    """
    draft = folder.with_name(f".{folder.name}.draft")
    for leftover in (draft, folder):  # of an attempt that was cut short: no brief record names it
        if leftover.exists():
            shutil.rmtree(leftover)
    draft.mkdir(parents=True)
    (draft / RECORDS).write_bytes(packed(content))
    if proof:
        shutil.copyfile(proof, draft / KILL_MATRIX)
    build_report(results.records(), draft, site=SITE)
    draft.rename(folder)


def _reader(site: Path) -> Callable[[Record], Results]:
    """Reads the records of published runs, and keeps the last two, since neighbours are compared.

    ``RecordsError`` unless they are those that were published.
    """

    @lru_cache(maxsize=2)
    def read(path: Path, digest: str) -> Results:
        if hashlib.sha256(read_content(path)).hexdigest() != digest:
            raise RecordsError(f"{path}: not the records that were published; restore them")
        return read_results(path)

    return lambda record: read(_folder(record, site) / RECORDS, record["records"])


def _write_changes(
    record: Record, runs: Sequence[Record], site: Path, read: Callable[[Record], Results]
) -> list[str]:
    """The page of what changed since the run before, where there is one; else why there is none."""
    target, before = _folder(record, site) / CHANGES, _before(record, runs)
    warnings = []
    if before:
        try:
            found = diff(read(before), read(record))
            put(target, changes.render(found, report=INDEX, site=SITE))
            return []
        except RecordsError as error:  # of an older suite, say: no reason not to publish this one
            warnings = [f"no page of what changed: {error}"]
    target.unlink(missing_ok=True)
    return warnings


def _before(record: Record, runs: Sequence[Record]) -> Record | None:
    """The newest run before one that asked the same cases on the same devices, of all runs."""
    earlier = runs[runs.index(record) + 1 :]
    return next((one for one in earlier if _asked(one) == _asked(record)), None)


def _asked(record: Record) -> tuple[object, ...]:
    devices = {entry["device"] for entry in record["implementations"]}
    return record["profile"], record["seed"], devices


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
        put(site / "badges" / f"{history.safe_name(name)}.json", content)
    for stub, target in _latest(site, list(names.values())).items():
        put(site / "latest" / stub, page("latest.html.j2", target=target))
    changed = {run for run, name in names.items() if (site / "runs" / name / CHANGES).exists()}
    shared = {"records": records, "standings": standings, "names": names, "changed": changed}
    shared["prose"] = (site / FINDINGS).exists()  # type: ignore[assignment]
    shared["safe"] = history.safe_name  # type: ignore[assignment]
    put(site / "history.html", page("history.html.j2", trend=trend, **shared))
    put(site / "index.html", page("site.html.j2", **shared))
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
