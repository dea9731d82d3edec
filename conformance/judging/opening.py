"""An implementation is brought in: what its import and its first calls did to the process."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from conformance.contract.discovery import Found
from conformance.contract.implementation import Implementation
from conformance.contract.session import Session, open_session
from conformance.contract.settings import read_floating_point, restore_floating_point
from conformance.errors import ConformanceError
from conformance.judging.smoke import ask, plainest
from conformance.properties.asking import NO_CHANGES


def load(found: Found) -> tuple[Implementation, str]:
    """The implementation, and what its import did to floating-point arithmetic, if anything.

    That is undone: the suite computes with it, too.  Libraries that were compiled with
    ``-ffast-math`` switch subnormal numbers off for the whole process.
    """
    before = read_floating_point()
    implementation = found.load()
    after = read_floating_point()
    if after == before:
        return implementation, ""
    restore_floating_point(before)
    said = f"importing it changed the floating-point environment from {before} to {after}"
    return implementation, said


def first_asked(implementation: Implementation, device: str, imported: str) -> Session:
    """A session that was asked once, and knows what that and the import changed: from now on it
    says so whenever it is asked about changes."""
    session = open_session(implementation, device)
    said = [imported] if imported else []
    with suppress(ConformanceError):  # smoke says it better
        case = plainest(session, implementation.declared.dtypes[0])
        changes = ask(session, "settings after the calls", case).value
        if changes is not None and (told := changes.tobytes().decode()) != NO_CHANGES:
            said.append(told)
    return replace(session, noticed="; ".join(said))
