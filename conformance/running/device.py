"""Is the device still there?  After a device-side assert, no question gets an answer any more."""

from __future__ import annotations

from typing import cast

from conformance.contract.discovery import Found
from conformance.contract.session import Session
from conformance.errors import ConformanceError
from conformance.records.results import Cell, Implementation
from conformance.records.schema import Record
from conformance.running.lost import with_case
from conformance.running.smoke import ask, plainest


def lost(session: Session, dtype: str) -> str:
    """Why an accelerator answers no more; empty where it does, and for the CPU, which is never
    lost alone."""
    if session.device == "cpu" or not (why := silence(session, dtype)):
        return ""
    return f"the device answers no more: {why}"


def silence(session: Session, dtype: str) -> str:
    """Why the plainest question, which smoke has asked before, gets no answer; empty if it does."""
    try:
        answer = ask(session, "loss", plainest(session, dtype))
    except ConformanceError as error:
        return str(error)
    return "" if answer.value is not None else f"the plainest question raised {answer.raised}"


def blamed(cell: Cell, why: str, found: Found, entry: Implementation, case: Record | None) -> Cell:
    """The cell in which the device was lost, with the last case that was asked before."""
    if cell["outcome"] == "crash":  # it was found out there
        return cell
    message = f"{why}; before that, {cell['message']}" if cell["message"] else why
    nothing = {"expectation": None, "reason": None, "link": None, "witness": None}
    crash = cast(Cell, {**cell, **nothing, "outcome": "crash", "message": message})
    return with_case(crash, found, entry, case)
