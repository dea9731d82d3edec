"""Makes the case smaller that a worker was lost with, by asking smaller ones in probes.

``main`` imports no framework.  Its probes die of what they are asked; one that does not is asked
the next case, which spares its start.  A case counts only if a fresh probe, too, ends over it as
the worker did: nothing that was asked before has any part in it.  At the end it reports one
message, ``shrunk``, with the smallest case and a note, or without where nothing came of it.
"""

from __future__ import annotations

import os
import selectors
from pathlib import Path
from time import monotonic

from conformance.cases.case import Case
from conformance.cases.minimise import minimise
from conformance.errors import ConformanceError
from conformance.properties import BY_SLUG
from conformance.records.schema import Record
from conformance.records.witness import decode_case, encode_case
from conformance.running.child import Link
from conformance.running.guardian import parents
from conformance.running.in_flight import noted_case
from conformance.running.process import Garbled, Worker

MOST_RUNS = 36
"""Probes that may be started."""
PATIENCE = 5.0
"""Seconds after which a case counts as one that gets no answer, where the worker had more."""
TICK = 0.1


def main() -> None:
    """Do one job.  Its fields: target, name, device, property, in_flight (the note of the case),
    way (how the worker was lost), patience (seconds that a call had), memory (bytes that a probe
    may take), seconds (in all), abreast (how many workers share the machine)."""
    link = Link()
    noted = noted_case(Path(link.job["in_flight"]))
    if noted is None:
        raise SystemExit("no case was noted")
    link.report("shrunk", **shrink(link.job, decode_case(noted)))
    os._exit(0)


class Undecided(Exception):
    """It cannot be told how a probe would end: it does not start, or the time is over."""


def shrink(job: Record, case: Case) -> Record:
    """The smallest case over which a fresh process ends in the same way (None: not known), and a
    note for the record."""
    space = BY_SLUG[job["property"]].space
    strict = space.admits(case)
    probes = Probes(job, deadline=monotonic() + job["seconds"])
    smallest = None

    def fails(smaller: Case) -> bool:
        nonlocal smallest
        if strict and not space.admits(smaller):
            return False  # another question
        if probes.end_alike(smaller):
            smallest = smaller
        return smallest is smaller

    try:
        end = probes.end_over(case)
        if end is None:
            return {"case": encode_case(case), "note": NEEDS_MORE}
        if end == probes.way:
            smallest = case
            minimise(case, fails, attempts=10**6, seconds=job["seconds"])
    except (Undecided, ConformanceError):
        pass  # the smallest so far it is
    finally:
        probes.end()
    if smallest is None:
        return {"case": None, "note": ""}
    return {"case": encode_case(smallest), "note": note_of(probes, smallest is not case)}


NEEDS_MORE = "its last case alone, in a fresh process, does no harm: it takes what was asked before"


def note_of(probes: Probes, smaller: bool) -> str:
    """What was found out, for the record."""
    if not smaller:
        return "its case alone does the same in a fresh process"
    waited = f", each given {probes.patience:g} s" if probes.way == "timeout" else ""
    return f"its witness is the smallest case found, in {probes.runs} fresh processes{waited}"


class Probes:
    """Probes, one at a time, each asked until it is gone."""

    def __init__(self, job: Record, deadline: float) -> None:
        self.way: str = job["way"]
        self.patience = min(PATIENCE, job["patience"])
        self.runs = 0
        self._job, self._deadline = job, deadline
        self._selector = selectors.DefaultSelector()
        self._probe: Worker | None = None
        self._used = False

    def end_alike(self, case: Case) -> bool:
        """Whether a fresh probe ends over this case as the worker did.  Raises ``Undecided``."""
        used = self._used
        end = self.end_over(case)
        if end == self.way and used:
            end = self.end_over(case)
        return end == self.way

    def end_over(self, case: Case) -> str | None:
        """How a probe ends over a case; None where it answers.  Raises ``Undecided``."""
        probe = self._probe or self._start()
        probe.send({"case": encode_case(case, effort=0)})
        self._used = True
        patience = min(monotonic() + self.patience, self._deadline)
        end = self._wait(probe, "answered", patience)
        if end == "timeout" and patience == self._deadline:
            raise Undecided
        if end is not None:
            self.end()
        return end

    def end(self) -> None:
        """End the probe that is left."""
        if self._probe:
            self._probe.end()
        self._probe, self._used = None, False

    def _start(self) -> Worker:
        if self.runs == MOST_RUNS:
            raise Undecided
        self.runs += 1
        self._probe = Worker(
            "conformance.running.probe", self._job, self._selector, abreast=self._job["abreast"]
        )
        if self._wait(self._probe, "ready", self._deadline) is not None:
            raise Undecided
        return self._probe

    def _wait(self, probe: Worker, kind: str, until: float) -> str | None:
        """How the probe is lost before it says this; None where it says it."""
        while True:
            self._selector.select(TICK)
            ended = probe.ended()
            try:
                if any(message.get("kind") == kind for message in probe.messages()):
                    return None
            except Garbled:
                return "pipe"
            if ended:
                return probe.way()
            if monotonic() > until:
                return "timeout"
            if probe.memory(parents()) > self._job["memory"]:
                return "memory"
