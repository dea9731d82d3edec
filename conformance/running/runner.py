"""The parent of a run: schedules workers, watches them, and collects what happened.

One implementation, one worker at a time.  A worker that dies or hangs takes one cell with it: the
cell says so and keeps the case that did it, and a new worker carries on behind it.  This process
imports no framework; all that it knows of an implementation it read from its adapter's source or
was told by its worker.
"""

from __future__ import annotations

import selectors
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, cast

from conformance.contract.discovery import Found
from conformance.errors import ConformanceError, RecordsError
from conformance.properties.features import features
from conformance.properties.property import Property
from conformance.properties.truth import Truth
from conformance.records.known import Expectation, known_path, load_known
from conformance.records.results import Cell, Curve, Implementation, blank_cell
from conformance.records.schema import Record, check, parse
from conformance.records.witness import decode_case
from conformance.records.writer import ResultsWriter
from conformance.running.host import make_header, memory
from conformance.running.process import CURVE, Garbled, Worker
from conformance.version import __version__

START_TIMEOUT = 300.0
"""Seconds for what is not asked of the implementation alone: a framework's import, and smoke."""
PATIENCE = 5
"""Workers lost in a row, after which an implementation is asked no more."""
TICK = 0.25
"""Seconds between two looks at deadlines and memory."""
MEMORY_SHARE = 0.75
"""The part of physical memory that the workers together may take."""
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


@dataclass(frozen=True)
class Plan:
    """What a run asks of whom."""

    found: Sequence[Found]
    properties: Sequence[Property]
    device: str = "cpu"
    dtypes: tuple[str, ...] = ()
    """Empty: all that an implementation declares."""
    profile: str = "standard"
    seed: int = 0
    workers: int = 1
    timeout: float = 300.0
    """Seconds for one cell, and for one curve."""


class Listener(Protocol):
    """Who is told how a run goes on."""

    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: Cell) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


@dataclass
class _Task:
    """An implementation on its way through the run."""

    found: Found
    rank: tuple[int, ...]
    in_flight: Path
    """The file in which its workers note the case that they are about to ask."""
    entry: Implementation | None = None
    left: list[tuple[str, str]] = field(default_factory=list)
    """(dtype, property) of the cells that have no record yet, in order."""
    done: list[str] = field(default_factory=list)
    asking: tuple[str, str] | None = None
    """(dtype, property) of the cell in flight, or (dtype, CURVE)."""
    smoked: bool = False
    lost: int = 0
    """Workers lost in a row."""
    since: float = 0.0
    worker: Worker | None = None
    over: bool = False


def run(plan: Plan, path: Path, listener: Listener) -> None:
    """Judge every implementation of a plan and write the records to ``path``.

    An interrupted run leaves the file truncated and no worker behind.  ``RecordsError`` where the
    file cannot be written.
    """
    for found in plan.found:
        check("name", found.name, f"{found.path}: the implementation's name")
    header = make_header(plan.profile, plan.seed, plan.properties)
    with (
        tempfile.TemporaryDirectory(prefix="conformance-") as folder,
        ResultsWriter(path, header) as writer,
    ):
        _Run(plan, writer, listener, Path(folder)).all()
        writer.finish()


class _Run:
    def __init__(self, plan: Plan, writer: ResultsWriter, listener: Listener, folder: Path) -> None:
        self.plan, self.writer, self.listener = plan, writer, listener
        self.levels = {prop.slug: prop.level for prop in plan.properties}
        self.selector = selectors.DefaultSelector()
        total = memory()
        self.memory = MEMORY_SHARE * total / plan.workers if total else float("inf")
        self.waiting = [
            _Task(found, (n,), folder / f"case-{n}") for n, found in enumerate(plan.found)
        ]
        self.live: list[_Task] = []

    def all(self) -> None:
        """Schedule until everything is judged."""
        try:
            while self.waiting or self.live:
                while self.waiting and len(self.live) < self.plan.workers:
                    self.live.append(self.waiting.pop(0))
                    self.begin(self.live[-1])
                self.selector.select(TICK)
                for task in self.live:
                    self.look(task)
                self.live = [task for task in self.live if not task.over]
        finally:
            for task in self.live:
                self.stop(task)
            self.selector.close()

    # -- a worker ----------------------------------------------------------------------------------

    def begin(self, task: _Task) -> None:
        """Start a worker on what is left of a task."""
        if task.found.unavailable:
            self.give_up(task, task.found.unavailable)
            return
        job = {
            "target": task.found.target,
            "name": task.found.name,
            "device": self.plan.device,
            "dtypes": list(self.plan.dtypes),
            "properties": list(self.levels),
            "profile": self.plan.profile,
            "seed": self.plan.seed,
            "done": task.done,
            "smoke": not task.smoked,
            "in_flight": str(task.in_flight),
        }
        task.asking, task.since = None, monotonic()
        task.worker = Worker(job, self.selector, abreast=self.plan.workers)

    def stop(self, task: _Task) -> str:
        """End a task's worker, and say how it had ended by itself."""
        worker, task.worker = task.worker, None
        return worker.end() if worker else ""

    def look(self, task: _Task) -> None:
        """Take in what a worker reported, and whether it still lives."""
        worker = task.worker
        if worker is None:
            return
        ended = worker.ended()  # before reading: what it said last is not lost
        try:
            for message in worker.messages():
                self.hear(task, message)
                if task.over:
                    return
        except Garbled as error:
            self.lose(task, "crash", f"the implementation wrote to the suite's pipe: {error}")
            return
        limit = self.plan.timeout if task.asking else START_TIMEOUT
        if ended:
            gone = worker.process.poll() is not None
            self.lose(task, "crash", None if gone else "the suite's pipe was closed")
        elif monotonic() - task.since > limit:
            self.lose(task, "timeout", f"no answer within {limit:g} s")
        elif (taken := worker.memory()) > self.memory:
            self.lose(task, "crash", f"took {taken / 2**30:.1f} GiB of memory")

    def hear(self, task: _Task, message: Record) -> None:
        """One message of the protocol (see ``worker``)."""
        task.since = monotonic()
        match message:
            case {"kind": "hello", "entry": entry, "packages": packages}:
                self.meet(task, entry, packages)
            case {"kind": "ready"}:
                task.smoked = True
            case {"kind": "begin", "dtype": dtype, "property": slug}:
                task.asking = (dtype, slug)
            case {"kind": "cell", "dtype": dtype, "property": slug} if (dtype, slug) == task.asking:
                task.lost = 0
                self.record(task, cast(Cell, message))
            case {"kind": "curve"} if task.asking and task.asking[1] == CURVE:
                self.writer.write(cast(Curve, message))
            case {"kind": "unsupported", "reason": reason}:
                self.give_up(task, reason, "unsupported")
            case {"kind": "broken", "reason": reason}:
                self.give_up(task, reason)
            case {"kind": "done"}:
                self.finish(task)
            case _:
                raise Garbled(f"unknown message {str(message)[:100]}")

    def lose(self, task: _Task, outcome: str, why: str | None) -> None:
        """A worker died or hangs: blame the cell in flight and carry on behind it."""
        how = self.stop(task)
        why = f"{why}; the worker {how}" if why else f"the worker {how}"
        if not task.smoked:
            self.give_up(task, f"lost in {'smoke' if task.entry else 'loading'}: {why}")
            return
        if task.asking and task.asking[1] == CURVE:  # all cells are judged
            self.finish(task)
            return
        if task.asking:
            self.record(task, self.lost_cell(task, *task.asking, outcome, why))
        task.lost += 1
        if task.lost < PATIENCE:
            self.begin(task)
        else:
            self.give_up(task, f"{PATIENCE} workers in a row were lost; the last: {why}")

    # -- records -----------------------------------------------------------------------------------

    def meet(self, task: _Task, entry: Implementation, packages: dict[str, str]) -> None:
        """The worker said who the implementation is; the second worker says it again."""
        if task.entry is not None:
            return
        try:
            self.enter(task, entry, packages, self.plan.dtypes or entry["capabilities"]["dtypes"])
        except RecordsError as error:
            self.give_up(task, f"the adapter's declaration has no place in the records: {error}")

    def enter(
        self, task: _Task, entry: Implementation, packages: dict[str, str], dtypes: Sequence[str]
    ) -> None:
        self.writer.join(entry, task.rank, packages)
        task.entry = entry
        task.left = [(dtype, slug) for dtype in dtypes for slug in self.levels]
        self.listener.begins(task.found.name, len(task.left))

    def record(self, task: _Task, cell: Cell) -> None:
        """Write a cell; one that the schema refuses becomes an error that says so."""
        place = (cell["dtype"], cell["property"])
        try:
            self.writer.write(cell)
        except RecordsError as error:
            message = f"the suite made a record that its schema refuses: {error}"
            cell = self.blank(task, *place, outcome="error", message=message)
            self.writer.write(cell)
        task.left.remove(place)
        task.done.append(cell["id"])
        task.asking = None
        self.listener.judged(cell)

    def blank(self, task: _Task, dtype: str, slug: str, **fields: Any) -> Cell:
        level = self.levels[slug]
        return blank_cell(task.found.name, self.plan.device, dtype, slug, level, **fields)

    def give_up(self, task: _Task, reason: str, outcome: str = "not-run") -> None:
        """Ask no more: what is left has no evidence, and says why."""
        if task.entry is None:
            self.enter(task, _unmet(task.found), {}, self.plan.dtypes or ("float32",))
        for dtype, slug in list(task.left):
            self.record(task, self.blank(task, dtype, slug, outcome=outcome, reason=reason))
        self.finish(task, reason)

    def finish(self, task: _Task, problem: str | None = None) -> None:
        self.stop(task)
        if not task.over:
            self.listener.ends(task.found.name, problem)
        task.over = True

    def lost_cell(self, task: _Task, dtype: str, slug: str, outcome: str, why: str) -> Cell:
        """The record of a cell whose worker was lost, with the case in flight."""
        seconds = monotonic() - task.since
        cell = self.blank(task, dtype, slug, outcome=outcome, message=why, seconds=seconds)
        case = _noted(task.in_flight)
        if expectation := self.expected(task, dtype, slug, outcome, case):
            cell["expectation"] = "known"
            cell["reason"], cell["link"] = expectation.reason, expectation.link
        if case is None or task.entry is None:
            return cell
        versions = {}
        if task.entry["distribution"] and task.entry["version"]:
            versions = {task.entry["distribution"]: task.entry["version"]}
        witness = {
            "schema": 1,
            "suite": __version__,
            "implementation": task.found.name,
            "device": self.plan.device,
            "dtype": dtype,
            "property": slug,
            "kind": outcome,
            "message": why,
            "expected": None,
            "got": None,
            "versions": versions,
            "case": case,
        }
        cell["witness"] = witness
        return cell

    def expected(
        self, task: _Task, dtype: str, slug: str, way: str, case: Record | None
    ) -> Expectation | None:
        """The known failure that a lost worker is an instance of."""
        candidates = [
            e
            for e in load_known(known_path(task.found.path))
            if e.implementation == task.found.name
            and e.concerns(slug, self.plan.device, dtype)
            and e.expects(way)
        ]
        found: Record = {"dtype": dtype, "device": self.plan.device}
        if candidates and case:
            with suppress(ConformanceError):  # a case outside the formula has no more features
                found = features(decode_case(case), Truth(), self.plan.device)
        return next((e for e in candidates if e.matches(found)), None)


def _unmet(found: Found) -> Implementation:
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


def _noted(path: Path) -> Record | None:
    """The case that a worker noted before its last call; None where there is no whole one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    length = int.from_bytes(content[:8], "little")
    try:
        case = parse(content[8 : 8 + length], "the case in flight")
        decode_case(case)
    except ConformanceError:
        return None
    return cast(Record, case)
