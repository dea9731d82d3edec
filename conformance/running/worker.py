"""A worker: judges one implementation in a process of its own.

``main`` reads its job as one JSON line from standard input and reports JSON lines on the file
descriptor that the command line names.  In order: ``hello`` (who the implementation is and what it
offers), ``ready`` (it loads, opens and survives smoke), for each cell ``begin`` and ``cell``, for
each curve ``begin`` and ``curve``, ``done``; or ``broken`` or ``unsupported`` with the reason, and
no more.  Standard output belongs to the implementation.

The case in flight is on disk before each call, so that it survives whatever the call does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from conformance.cases.case import Case
from conformance.contract.discovery import find
from conformance.contract.implementation import Implementation
from conformance.contract.session import Session, open_session
from conformance.errors import AdapterError, ConformanceError, RecordsError
from conformance.properties import BY_SLUG
from conformance.properties.property import Property
from conformance.records.known import Expectation, known_path, load_known
from conformance.records.results import Cell, blank_cell, cell_id
from conformance.records.schema import Record, to_json
from conformance.records.witness import encode_case
from conformance.running.cell import judge_cell
from conformance.running.curve import measure_curve
from conformance.running.process import CURVE
from conformance.running.profiles import PROFILES
from conformance.running.smoke import smoke

Report = Callable[..., None]


def main() -> None:
    """Do one job.  Its fields: target, name, device, dtypes, properties, profile, seed, done (ids
    of cells that need no asking), smoke (whether to), in_flight (a path)."""
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    job = json.loads(sys.stdin.readline())
    end_with_parent()
    with os.fdopen(descriptor, "wb", buffering=0) as pipe:

        def report(kind: str, **fields: Any) -> None:
            line = (to_json({"kind": kind} | fields) + "\n").encode("utf-8", "replace")
            while line:
                line = line[pipe.write(line) :]

        try:
            work(job, report)
        except ConformanceError as error:
            report("broken", reason=str(error))
    # Not the slow, and at times fatal, farewell of a framework: everything is reported.
    sys.stdout.flush()
    os._exit(0)


def end_with_parent() -> None:
    """End this process, and all that it started, when the parent's end of stdin closes."""
    lifeline = os.dup(0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)

    def wait() -> None:
        with suppress(OSError):
            while os.read(lifeline, 1):
                pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
    if sys.platform == "linux":
        # The thread cannot run while a call holds the interpreter; the kernel can.
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        # Where memory runs out, let the kernel end the worker, not its parent.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def work(job: Record, report: Report) -> None:
    """Judge the cells of a job."""
    found = next(item for item in find((job["target"],)) if item.name == job["name"])
    implementation = found.load()
    report("hello", **introduce(implementation))
    known = [e for e in load_known(known_path(found.path)) if e.implementation == found.name]
    devices = implementation.declared.devices
    if job["device"].partition(":")[0] not in devices:
        report("unsupported", reason=f"declares {', '.join(devices)}, not {job['device']}")
        return
    session = open_session(implementation, job["device"])
    if job["smoke"] and (findings := smoke(session)):
        raise AdapterError("smoke: " + "; ".join(finding.message for finding in findings))
    report("ready")
    properties = [BY_SLUG[slug] for slug in job["properties"]]
    for dtype in job["dtypes"] or implementation.declared.dtypes:
        for prop in properties:
            if cell_id(found.name, job["device"], dtype, prop.slug) in job["done"]:
                continue
            report("begin", dtype=dtype, property=prop.slug)
            report(**judge(session, prop, dtype, job, known))
    for dtype in (job["dtypes"] or implementation.declared.dtypes) if properties else ():
        report("begin", dtype=dtype, property=CURVE)
        with suppress(BaseException):  # a curve is a picture, no verdict
            if curve := measure_curve(session, dtype):
                report(**curve)
    report("done")


def judge(
    session: Session, prop: Property, dtype: str, job: Record, expected: list[Expectation]
) -> Cell:
    """The record of one cell, whatever the implementation does short of ending the process."""
    name = session.implementation.name
    began = time.monotonic()
    try:
        with open(job["in_flight"], "wb", buffering=0) as file:
            return judge_cell(
                session,
                prop,
                dtype,
                profile=PROFILES[job["profile"]],
                seed=job["seed"],
                expectations=expected,
                watch=Watch(file.fileno()),
            )
    except BaseException as error:  # also SystemExit, which is the implementation's
        what = str(error) if isinstance(error, ConformanceError) else repr(error)
        fields = {"outcome": "error", "message": what, "seconds": time.monotonic() - began}
        return blank_cell(name, job["device"], dtype, prop.slug, prop.level, **fields)


class Watch:
    """Notes the case in flight: a length in eight bytes, then the case as JSON."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._last: Case | None = None

    def __call__(self, case: Case) -> None:
        if case is self._last:
            return
        self._last = case
        try:
            note = to_json(encode_case(case, effort=0)).encode()
        except RecordsError as error:
            note = to_json({"too large": str(error)}).encode()
        os.pwrite(self._descriptor, len(note).to_bytes(8, "little") + note, 0)


def introduce(implementation: Implementation) -> Record:
    """The implementation's entry in the header, and the packages it was found with."""
    versions: dict[str, str] = {}
    for name in (implementation.distribution, implementation.framework):
        with suppress(metadata.PackageNotFoundError):
            versions |= {name: metadata.version(name)} if name else {}
    source = implementation.source
    return {
        "entry": {
            "name": implementation.name,
            "framework": implementation.framework,
            "distribution": implementation.distribution,
            "version": implementation.version,
            "description": implementation.description,
            "links": list(implementation.links),
            "capabilities": {
                name: value if isinstance(value, bool) else sorted(value)
                for name, value in vars(implementation.capabilities).items()
            },
            "adapter": source.read_text("utf-8", "replace") if source else None,
        },
        "packages": versions,
    }
