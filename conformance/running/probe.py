"""A probe: puts one case after another to one property of one implementation, until it dies.

``main`` says ``ready``, then ``answered`` for each case that it gets, whatever the verdict.  By
this ``shrink`` learns which cases end the process, or are never answered.
"""

from __future__ import annotations

import os
from contextlib import suppress

from conformance.contract.discovery import find
from conformance.contract.session import open_session
from conformance.errors import ConformanceError
from conformance.properties import BY_SLUG
from conformance.properties.asking import Live
from conformance.properties.trial import Trial, Violation
from conformance.properties.truth import Truth
from conformance.records.witness import decode_case
from conformance.running.child import Link


def main() -> None:
    """Do one job.  Its fields: target, name, device, property."""
    link = Link()
    job = link.job
    found = next(item for item in find((job["target"],)) if item.name == job["name"])
    session = open_session(found.load(), job["device"])
    prop = BY_SLUG[job["property"]]
    options = session.implementation.capabilities.options
    link.report("ready")
    for request in link.requests():
        live = Live(session, options, watch=lambda case: None)
        with suppress(Violation, ConformanceError):  # an answer, too
            prop.body(decode_case(request["case"]), Trial(live, Truth()))
        link.report("answered")
    os._exit(0)
