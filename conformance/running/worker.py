"""A worker: judges one implementation in a process of its own.

``main`` hears its job and reports by a ``child.Link``.  In order: ``hello`` (who the implementation
is and what it offers), ``ready`` (it loads, opens and survives smoke), for each cell ``begin`` and
``cell``, for each curve ``begin`` and ``curve``, ``done``; or ``broken`` or ``unsupported`` with
the reason, and no more.

The case in flight is on disk before each call, so that it survives whatever the call does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from conformance.contract.discovery import find
from conformance.contract.implementation import Implementation, installed_version
from conformance.contract.session import Session
from conformance.errors import AdapterError, ConformanceError
from conformance.judging.cell import judge_cell
from conformance.judging.curve import measure_curve
from conformance.judging.device import lost
from conformance.judging.opening import first_asked, load
from conformance.judging.profiles import PROFILES
from conformance.judging.smoke import smoke
from conformance.properties import BY_SLUG
from conformance.properties.property import Property
from conformance.records.known import Expectation, known_path, load_known
from conformance.records.results import Cell, blank_cell, cell_id
from conformance.records.schema import Record, check
from conformance.running.apart import judge_apart
from conformance.running.child import Link
from conformance.running.in_flight import Watch, noted_case
from conformance.running.lost import blamed
from conformance.running.process import CURVE
from conformance.running.shard import Shard

Report = Callable[..., None]


def main() -> None:
    """Do one job.  Its fields: target, name, device, dtypes, properties, profile, seed, done (ids
    of what needs no asking), shard, smoke (whether to), in_flight (a path)."""
    link = Link()
    try:
        work(link.job, link.report)
    except ConformanceError as error:
        link.report("broken", reason=str(error))
    # Not the slow, and at times fatal, farewell of a framework: everything is reported.
    os._exit(0)


def work(job: Record, report: Report) -> None:
    """Judge the cells of a job."""
    found = next(item for item in find((job["target"],)) if item.name == job["name"])
    implementation, imported = load(found)
    report("hello", **introduce(implementation))
    known = [e for e in load_known(known_path(found.path)) if e.implementation == found.name]
    devices = implementation.declared.devices
    if job["device"].partition(":")[0] not in devices:
        report("unsupported", reason=f"declares {', '.join(devices)}, not {job['device']}")
        return
    session = first_asked(implementation, job["device"], imported)
    if job["smoke"] and (findings := smoke(session)):
        raise AdapterError("smoke: " + "; ".join(finding.message for finding in findings))
    if not job["smoke"] and (why := lost(session, implementation.declared.dtypes[0])):
        raise AdapterError(why)
    report("ready")
    properties = [BY_SLUG[slug] for slug in job["properties"]]
    for dtype in job["dtypes"] or implementation.declared.dtypes:
        for prop in properties:
            if wanted(job, dtype, prop.slug):
                report("begin", dtype=dtype, property=prop.slug)
                cell = judge(session, prop, dtype, job, known)
                why = lost(session, dtype)
                if why:
                    case = noted_case(Path(job["in_flight"]))
                    report(**blamed(cell, why, found, introduce(implementation)["entry"], case))
                    return  # another worker gets the device back, and carries on
                report(**cell)
    for dtype in (job["dtypes"] or implementation.declared.dtypes) if properties else ():
        if not wanted(job, dtype, CURVE):
            continue
        report("begin", dtype=dtype, property=CURVE)
        with suppress(BaseException), open(job["in_flight"], "wb", buffering=0) as file:
            # A curve is a picture, no verdict.
            if curve := measure_curve(session, dtype, Watch(file.fileno())):
                check("curve", curve, "the curve")
                report(**curve)
    report("done")


def wanted(job: Record, dtype: str, slug: str) -> bool:
    """Whether a cell, or a curve, is of the job's shard and has no record yet."""
    done = cell_id(job["name"], job["device"], dtype, slug) in job["done"]
    return not done and Shard(*job["shard"]).has(job["name"], dtype, slug)


def judge(
    session: Session, prop: Property, dtype: str, job: Record, expected: list[Expectation]
) -> Cell:
    """The record of one cell, whatever the implementation does short of ending the process."""
    name = session.implementation.name
    began = time.monotonic()
    try:
        with open(job["in_flight"], "wb", buffering=0) as file:
            how = {"seed": job["seed"], "expectations": expected, "watch": Watch(file.fileno())}
            if prop.poisons and job["device"] != "cpu":
                return judge_apart(session, prop, dtype, target=job["target"], **how)
            return judge_cell(session, prop, dtype, profile=PROFILES[job["profile"]], **how)
    except BaseException as error:  # also SystemExit, which is the implementation's
        what = str(error) if isinstance(error, ConformanceError) else repr(error)
        fields = {"outcome": "error", "message": what, "seconds": time.monotonic() - began}
        return blank_cell(name, job["device"], dtype, prop.slug, prop.level, **fields)


def introduce(implementation: Implementation) -> Record:
    """The implementation's entry in the header, and the packages it was found with."""
    versions: dict[str, str] = {}
    here = () if implementation.process else (implementation.distribution, implementation.framework)
    for name in here:
        if name and (version := installed_version(name)):
            versions[name] = version
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
            "adapter": implementation.adapter,
        },
        "packages": versions,
    }
