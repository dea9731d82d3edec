"""A process of its own for questions after which a device may answer no more.

``main`` says ``ready``, then ``answer`` to each question that it gets, and whether the device still
answers after it.  ``apart`` asks.
"""

from __future__ import annotations

import os

from conformance.contract.discovery import find
from conformance.contract.session import open_session
from conformance.errors import ConformanceError
from conformance.judging.device import silence
from conformance.properties.asking import Answer, Live
from conformance.records.schema import Record
from conformance.records.witness import decode_case, encode_array
from conformance.running.child import Link


def main() -> None:
    """Do one job.  Its fields: target, name, device, dtype."""
    link = Link()
    job = link.job
    try:
        found = next(item for item in find((job["target"],)) if item.name == job["name"])
        session = open_session(found.load(), job["device"])
    except ConformanceError as error:
        link.report("broken", reason=str(error))
        os._exit(0)
    link.report("ready")
    live = Live(session, session.implementation.capabilities.options, watch=lambda case: None)
    for request in link.requests():
        try:
            said = encoded(live.ask(request["question"], decode_case(request["case"])))
        except ConformanceError as error:  # no array, or one that has no place in a message
            said = {"value": None, "raised": None, "unsupported": False, "broken": str(error)}
        link.report("answer", **said, fit=not silence(session, job["dtype"]))
    os._exit(0)


def encoded(answer: Answer) -> Record:
    """An answer as JSON.  Raises ``RecordsError`` for an array that is none of numbers."""
    raised = answer.raised
    return {
        "value": None if answer.value is None else encode_array(answer.value, effort=0),
        "raised": raised and {"type": raised.type, "message": raised.message},
        "unsupported": answer.unsupported,
        "broken": None,
    }
