"""The brief record of a published run: what a site remembers of it, in a file of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from conformance.errors import RecordsError
from conformance.records.results import VERDICT_LEVELS
from conformance.records.schema import Record, check, parse, read_text


def read_brief(path: Path) -> Record:
    """The brief record in a file.

    ``RecordsError`` where there is none, for one against the schema, and for one that contradicts
    itself.
    """
    record: Record = parse(read_text(path), str(path))
    check("history", record, str(path))
    if said := next(_contradictions(record), None):
        raise RecordsError(f"{path}: {said}")
    return record


def _contradictions(record: Record) -> Iterator[str]:
    found = record["implementations"]
    places = Counter((entry["name"], entry["device"]) for entry in found)
    for (name, device), count in places.items():
        if count > 1:
            yield f"{name} is listed {count} times{f' on {device}' if device else ''}"
    for entry in found:
        surprises = sum(entry["unexpected"].get(level, 0) for level in VERDICT_LEVELS)
        explained = entry["passed"] + entry["known"] + surprises
        if explained > entry["judged"]:
            yield f"{entry['name']}: {explained} passed or failed, of {entry['judged']} judged"
        if entry["judged"] > entry["applicable"]:
            yield f"{entry['name']}: {entry['judged']} judged, of {entry['applicable']} applicable"
    if (applicable := sum(entry["applicable"] for entry in found)) > record["cells"]:
        yield f"{record['cells']} cells, and {applicable} of them are applicable"
