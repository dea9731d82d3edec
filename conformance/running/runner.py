"""The parent of a run: schedules workers, watches them, and collects what happened.

One implementation, one worker at a time.  A worker that dies or hangs takes one cell with it: the
cell says so and keeps the case that did it, and a new worker carries on behind it.  This process
imports no framework; all that it knows of an implementation it read from its adapter's source or
was told by its worker.
"""

from __future__ import annotations

import selectors
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, cast

from conformance.contract.discovery import Found
from conformance.errors import RecordsError
from conformance.judging.curve import has_curve
from conformance.properties.property import Property
from conformance.records.results import (
    Cell,
    Curve,
    Implementation,
    Results,
    blank_cell,
    cell_id,
)
from conformance.records.schema import Record, check
from conformance.records.writer import ResultsWriter
from conformance.running.guardian import parents
from conformance.running.host import memory
from conformance.running.in_flight import asked_at, noted_case
from conformance.running.lost import unmet, with_case, with_smaller_case
from conformance.running.process import CURVE, Garbled, Worker
from conformance.running.resume import Kept, begin, check_same, kept_of
from conformance.running.shard import WHOLE, Shard

START_TIMEOUT = 300.0
"""Seconds for what is not asked of the implementation alone: a framework's import, and smoke."""
PATIENCE = 5
"""Workers lost in a row, after which an implementation is asked no more."""
TICK = 0.25
"""Seconds between two looks at deadlines and memory."""
MEMORY_SHARE = 0.75
"""The part of physical memory that the workers together may take."""
SHRINKING = 120.0
"""Seconds for making lost cases smaller, for each implementation."""


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
    call_timeout: float = 60.0
    """Seconds for one call of the implementation."""
    memory: float | None = None
    """GiB that a worker may take, with all that it starts; None: its share of what there is."""
    shrink: float = 60.0
    """Seconds for making a case smaller that a worker was lost with."""
    shard: Shard = WHOLE
    """The part of it that is asked here."""


class Listener(Protocol):
    """Who is told how a run goes on."""

    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: Cell) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


@dataclass
class _Task:
    """An implementation on its way through the run."""

    found: Found
    in_flight: Path
    """The file in which its workers note the case that they are about to ask."""
    entry: Implementation | None = None
    kept: Kept | None = None
    """What an interrupted run has left of it."""
    left: list[tuple[str, str]] = field(default_factory=list)
    """(dtype, property) of the cells that have no record yet, in order."""
    done: list[str] = field(default_factory=list)
    asking: tuple[str, str] | None = None
    """(dtype, property) of the cell in flight, or (dtype, CURVE)."""
    smoked: bool = False
    lost: int = 0
    """Workers lost in a row."""
    since: float = 0.0
    takes: int = 0
    """Bytes of memory that the worker had, with all that it started, when last looked at."""
    held: int = 0
    """The same when the cell in flight began."""
    lost_cell: Cell | None = None
    """The cell of a lost worker, while its case is made smaller."""
    shrinking: float = SHRINKING
    """Seconds that are left for that."""
    worker: Worker | None = None
    over: bool = False


def run(plan: Plan, path: Path, listener: Listener, kept: Results | None = None) -> None:
    """Judge every implementation of a plan and write the records to ``path``.

    ``kept``: what an interrupted run has left there, which is not asked again (see ``resume``).  An
    interrupted run leaves the file truncated and no worker behind.  ``StorageError`` where the file
    cannot be written.
    """
    for found in plan.found:
        check("name", found.name, f"{found.path}: the implementation's name")
    kept = kept or begin(plan)
    records: list[Cell | Curve] = [*kept.cells, *kept.curves]
    order = [item.name for item in plan.found]
    with (
        tempfile.TemporaryDirectory(prefix="conformance-") as folder,
        ResultsWriter(path, kept.header, order=order, kept=records) as writer,
    ):
        tasks = [
            _Task(item, Path(folder) / f"case-{n}", kept=kept_of(kept, item.name))
            for n, item in enumerate(plan.found)
        ]
        _Run(plan, tasks, writer, listener).all()
        writer.finish()


class _Run:
    def __init__(
        self, plan: Plan, tasks: list[_Task], writer: ResultsWriter, listener: Listener
    ) -> None:
        self.plan, self.waiting, self.writer, self.listener = plan, tasks, writer, listener
        self.levels = {prop.slug: prop.level for prop in plan.properties}
        self.selector = selectors.DefaultSelector()
        share = MEMORY_SHARE * (memory() or float("inf")) / plan.workers
        self.memory = share if plan.memory is None else plan.memory * 2**30
        self.live: list[_Task] = []

    def all(self) -> None:
        """Schedule until everything is judged."""
        looked = 0.0
        try:
            while self.waiting or self.live:
                while self.waiting and len(self.live) < self.plan.workers:
                    self.live.append(self.waiting.pop(0))
                    self.admit(self.live[-1])
                self.selector.select(TICK)
                for task in self.live:
                    self.look(task)
                if monotonic() > looked + TICK:
                    looked, family = monotonic(), parents()
                    for task in self.live:
                        self.limit(task, family)
                self.live = [task for task in self.live if not task.over]
        finally:
            for task in self.live:
                self.stop(task)
            self.selector.close()

    # -- a worker ----------------------------------------------------------------------------------

    def admit(self, task: _Task) -> None:
        """Begin with a task; one that an interrupted run was through with needs no worker."""
        if task.kept:
            task.done, task.lost = task.kept.done, task.kept.lost
            if not self.survey(task, task.kept.entry):
                self.finish(task)
                return
        self.begin(task)

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
            "shard": astuple(self.plan.shard),
            "done": task.done,
            "smoke": not task.smoked,
            "in_flight": str(task.in_flight),
        }
        task.asking, task.since = None, monotonic()
        task.in_flight.unlink(missing_ok=True)  # nothing is, and the last worker's case was kept
        task.worker = self.start("conformance.running.worker", job)

    def start(self, module: str, job: Record) -> Worker:
        return Worker(module, job, self.selector, abreast=self.plan.workers)

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
                if task.worker is not worker:
                    return
        except Garbled as error:
            why = f"the implementation wrote to the suite's pipe: {error}"
            self.lose(task, "crash", why, "pipe")
            return
        if ended:
            gone = worker.process.poll() is not None
            said = None if gone else "the suite's pipe was closed"
            self.lose(task, "crash", said, worker.way())

    def limit(self, task: _Task, family: Mapping[int, int]) -> None:
        """End a worker that takes too long or too much.  ``family``: the parent of each process."""
        worker, now = task.worker, monotonic()
        if worker is None:
            return
        if task.lost_cell:
            if now > task.since + self.plan.shrink + START_TIMEOUT:
                self.settle(task)
            return
        limit, call = self.plan.timeout if task.asking else START_TIMEOUT, self.plan.call_timeout
        asked = asked_at(task.in_flight) if task.asking else None
        task.takes = worker.memory(family)
        if now > task.since + limit:
            self.lose(task, "timeout", f"no answer within {limit:g} s", "timeout")
        elif asked is not None and now > max(asked, task.since) + call:
            self.lose(task, "timeout", f"a call took more than {call:g} s", "timeout")
        elif task.takes > self.memory:
            sizes = (task.takes, task.takes - task.held, self.memory)
            gib, gained, most = (size / 2**30 for size in sizes)
            why = f"took {gib:.2f} GiB of memory, {gained:.2f} of them in this cell"
            self.lose(task, "crash", f"{why}; the limit is {most:.2f}", "memory")

    def hear(self, task: _Task, message: Record) -> None:
        """One message of the protocol (see ``worker``)."""
        if task.lost_cell is None:
            task.since = monotonic()
        match message:
            case {"kind": "hello", "entry": entry, "packages": packages}:
                self.meet(task, entry, packages)
            case {"kind": "ready"}:
                task.smoked = True
            case {"kind": "begin", "dtype": dtype, "property": slug} if task.worker and (
                slug == CURVE or (dtype, slug) in task.left
            ):
                task.asking = (dtype, slug)
                task.held = task.takes
                task.worker.printed()  # before the cell
            case {"kind": "cell", "dtype": dtype, "property": slug} if (dtype, slug) == task.asking:
                task.lost = 0
                message["output"] = task.worker.printed() if task.worker else None
                self.record(task, cast(Cell, message))
            case {"kind": "curve", "dtype": dtype} if task.asking == (dtype, CURVE):
                task.asking = None
                self.writer.write(cast(Curve, message))
            case {"kind": "unsupported", "reason": reason}:
                self.give_up(task, reason, "unsupported")
            case {"kind": "broken", "reason": reason}:
                self.give_up(task, reason)
            case {"kind": "done"} if not task.left:
                self.finish(task)
            case {"kind": "shrunk", "case": case, "note": str(note)} if task.lost_cell:
                self.settle(task, case, note)
            case _:
                raise Garbled(f"unknown message {str(message)[:100]}")

    def lose(self, task: _Task, outcome: str, why: str | None, way: str) -> None:
        """A worker died or hangs: blame the cell in flight and carry on behind it.

        ``way``: what this has in common with other losses that are like it.
        """
        if task.lost_cell:  # it was a shrinker
            self.settle(task)
            return
        worker, how = task.worker, self.stop(task)
        printed = worker.last_words() if worker else None
        why = f"{why}; the worker {how}" if why else f"the worker {how}"
        if not task.smoked:
            why += f"; its last words:\n{_end_of(printed)}" if printed else ""
            self.give_up(task, f"lost in {'smoke' if task.entry else 'loading'}: {why}")
            return
        if task.asking and task.asking[1] == CURVE:  # all cells are judged
            self.finish(task)
            return
        if task.asking is None or task.entry is None:
            self.carry_on(task, why)
            return
        fields: dict[str, Any] = {"outcome": outcome, "message": why, "output": printed}
        cell = self.blank(task, *task.asking, **fields, seconds=monotonic() - task.since)
        cell = with_case(cell, task.found, task.entry, noted_case(task.in_flight))
        if cell["witness"] and not cell["expectation"] and min(self.plan.shrink, task.shrinking):
            self.shrink(task, cell, way)
        else:
            self.record(task, cell)
            self.carry_on(task, why)

    def shrink(self, task: _Task, cell: Cell, way: str) -> None:
        """Look for a smaller case that a worker is lost with, before the cell is recorded."""
        job = {
            "target": task.found.target,
            "name": task.found.name,
            "device": self.plan.device,
            "property": cell["property"],
            "in_flight": str(task.in_flight),
            "way": way,
            "patience": min(self.plan.call_timeout, self.plan.timeout),
            "memory": self.memory,
            "seconds": min(self.plan.shrink, task.shrinking),
            "abreast": self.plan.workers,
        }
        task.lost_cell, task.since = cell, monotonic()
        task.worker = self.start("conformance.running.shrink", job)

    def settle(self, task: _Task, case: Record | None = None, note: str = "") -> None:
        """Record a lost cell, with the smaller case if there is one."""
        self.stop(task)
        cell, task.lost_cell = task.lost_cell, None
        assert cell
        task.shrinking = max(0.0, task.shrinking - (monotonic() - task.since))
        self.record(task, with_smaller_case(cell, case, note) if case else cell)
        self.carry_on(task, str(cell["message"]))

    def carry_on(self, task: _Task, why: str) -> None:
        """Begin again behind a lost cell, unless too many were lost in a row."""
        task.lost += 1
        if task.lost < PATIENCE:
            self.begin(task)
        else:
            self.give_up(task, f"{PATIENCE} workers in a row were lost; the last: {why}")

    # -- records -----------------------------------------------------------------------------------

    def meet(self, task: _Task, entry: Implementation, packages: dict[str, str]) -> None:
        """The worker said who the implementation is; the second worker says it again."""
        if task.entry is not None:
            if task.kept:
                check_same(task.entry, entry)
            return
        try:
            self.enter(task, entry, packages)
        except RecordsError as error:
            self.give_up(task, f"the adapter's declaration has no place in the records: {error}")

    def enter(self, task: _Task, entry: Implementation, packages: dict[str, str]) -> None:
        self.writer.join(entry, packages)
        self.survey(task, entry)

    def survey(self, task: _Task, entry: Implementation) -> bool:
        """Note which cells are left to ask.  Whether there is one, or a curve to measure."""
        name, has = task.found.name, entry["capabilities"]
        left = [
            (dtype, slug)
            for dtype in self.plan.dtypes or has["dtypes"] or ("float32",)
            for slug in (*self.levels, CURVE)
            if self.plan.shard.has(name, dtype, slug)
            and cell_id(name, self.plan.device, dtype, slug) not in task.done
            and (slug != CURVE or has_curve(has, dtype))
        ]
        task.entry, task.left = entry, [place for place in left if place[1] != CURVE]
        self.listener.begins(name, len(task.left))
        return bool(left)

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
            self.enter(task, unmet(task.found), {})
        for dtype, slug in list(task.left):
            self.record(task, self.blank(task, dtype, slug, outcome=outcome, reason=reason))
        self.finish(task, reason)

    def finish(self, task: _Task, problem: str | None = None) -> None:
        self.stop(task)
        if not task.over:
            self.listener.ends(task.found.name, problem)
        task.over = True


def _end_of(printed: str) -> str:
    return "\n".join(printed.strip().splitlines()[-5:])[-1000:]
