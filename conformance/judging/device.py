"""Is the device still there?  After a device-side assert, no question gets an answer any more."""

from __future__ import annotations

from conformance.contract.session import Session
from conformance.errors import ConformanceError
from conformance.judging.smoke import ask, plainest


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
