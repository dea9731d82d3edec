"""The records of what a worker leaves that was lost: a cell with the case in flight, an entry."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from conformance.contract.discovery import Found
from conformance.errors import ConformanceError
from conformance.properties.features import features
from conformance.properties.truth import Truth
from conformance.records.known import Expectation, known_path, load_known
from conformance.records.results import Cell, Implementation
from conformance.records.schema import Record
from conformance.records.witness import decode_case
from conformance.version import __version__

NO_CAPABILITIES: Record = {
    "options": [],
    "dtypes": [],
    "devices": [],
    "targets": [],
    "shapes": [],
    "reductions": [],
    "target_dtypes": [],
    "layouts": [],
    "gradient": False,
    "stages": [],
    "stage_gradients": False,
    "derivatives": [],
}


def with_case(cell: Cell, found: Found, entry: Implementation, case: Record | None) -> Cell:
    """The cell, which says how its worker was lost, with the case in flight as its witness."""
    fields: dict[str, Any] = {}
    if expectation := _expected(cell, found, case):
        fields = {"expectation": "known", "reason": expectation.reason, "link": expectation.link}
    if case is not None:
        fields["witness"] = _witness(cell, entry, case)
    return cast(Cell, cell | fields)


def blamed(cell: Cell, why: str, found: Found, entry: Implementation, case: Record | None) -> Cell:
    """The cell in which the device was lost, with the last case that was asked before."""
    if cell["outcome"] == "crash":  # it was found out there
        return cell
    message = f"{why}; before that, {cell['message']}" if cell["message"] else why
    nothing = {"expectation": None, "reason": None, "link": None, "witness": None}
    crash = cast(Cell, {**cell, **nothing, "outcome": "crash", "message": message})
    return with_case(crash, found, entry, case)


def with_smaller_case(cell: Cell, case: Record, note: str) -> Cell:
    """The cell with a case instead of its witness's, and a note about how that was found."""
    assert cell["witness"]
    smaller = {"message": f"{cell['message']}; {note}", "witness": cell["witness"] | {"case": case}}
    return cast(Cell, cell | smaller)


def _witness(cell: Cell, entry: Implementation, case: Record) -> Record:
    versions = {}
    if entry["distribution"] and entry["version"]:
        versions = {entry["distribution"]: entry["version"]}
    return {
        "schema": 1,
        "suite": __version__,
        "implementation": cell["implementation"],
        "device": cell["device"],
        "dtype": cell["dtype"],
        "property": cell["property"],
        "kind": cell["outcome"],
        "message": cell["message"],
        "expected": None,
        "got": None,
        "versions": versions,
        "case": case,
    }


def _expected(cell: Cell, found: Found, case: Record | None) -> Expectation | None:
    """The known failure that a lost worker is an instance of."""
    device, dtype = cell["device"], cell["dtype"]
    candidates = [
        e
        for e in load_known(known_path(found.path))
        if e.implementation == found.name
        and e.concerns(cell["property"], device, dtype)
        and e.expects(cell["outcome"])
    ]
    seen: Record = {"dtype": dtype, "device": device}
    if candidates and case:
        with suppress(ConformanceError):  # a case outside the formula has no more features
            seen = features(decode_case(case), Truth(), device)
    return next((e for e in candidates if e.matches(seen)), None)


def unmet(found: Found) -> Implementation:
    """The entry of an implementation whose worker never said who it is."""
    return {
        "name": found.name,
        "framework": found.framework,
        "distribution": None,
        "version": None,
        "description": "",
        "links": [],
        "capabilities": dict(NO_CAPABILITIES),
        "adapter": None,
    }
