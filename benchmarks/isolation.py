"""What isolation costs: a run in workers against the same work in one process.

The bar: at most 10 % of the wall time of a standard run.  Isolated is what `conformance run` does
with one worker; bare is the same cells and curves, asked one after another in a fresh process, with
nobody watching and nothing written.  The start of a worker (interpreter, imports, loading, smoke)
is a cost of its own, paid once for each implementation, and is said separately: it is what a run
takes that asks nothing.  Processor time is said too, which a busy machine disturbs less.

    python benchmarks/isolation.py numpy-stable torch-fused --dtype float32
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from conformance.contract.discovery import find
from conformance.contract.session import open_session
from conformance.judging.cell import judge_cell
from conformance.judging.curve import measure_curve
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.records.known import known_path, load_known
from conformance.records.results import Cell
from conformance.running.runner import Plan, run

BAR = 0.10


@dataclass(frozen=True)
class Seconds:
    wall: float
    processor: float

    def __sub__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall - other.wall, self.processor - other.processor)


def timed(work: Callable[[], object]) -> Seconds:
    """Seconds of some work, with the processes that it starts and waits for."""
    wall, before = perf_counter(), os.times()
    work()
    processor = sum(os.times()[:4]) - sum(before[:4])
    return Seconds(perf_counter() - wall, processor)


class Silent:
    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: Cell) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


def isolated(name: str, dtype: str, profile: str, slugs: Sequence[str]) -> Seconds:
    """Seconds of a run with one worker."""
    plan = Plan(
        find([name]), [BY_SLUG[s] for s in slugs], dtypes=(dtype,), profile=profile, timeout=600
    )
    with tempfile.TemporaryDirectory() as folder:
        return timed(lambda: run(plan, Path(folder) / "results.jsonl", Silent()))


def bare(name: str, dtype: str, profile: str, slugs: Sequence[str]) -> Seconds:
    """Seconds of the same cells in this process."""
    (found,) = find([name])
    session = open_session(found.load())
    known = load_known(known_path(found.path))

    def ask() -> None:
        for slug in slugs:
            judge_cell(
                session,
                BY_SLUG[slug],
                dtype,
                profile=PROFILES[profile],
                seed=0,
                expectations=known,
                watch=lambda case: None,
            )
        measure_curve(session, dtype)

    return timed(ask)


def bare_elsewhere(*asked: object) -> Seconds:
    """``bare`` in a fresh process, as cold as a worker, with as many threads."""
    command = [sys.executable, __file__, "--bare", json.dumps(asked)]
    env = {"OMP_NUM_THREADS": str(os.cpu_count() or 1), **os.environ}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=env)
    return Seconds(*json.loads(done.stdout))


def least(work: Callable[[], Seconds], rounds: int) -> Seconds:
    found = [work() for _ in range(rounds)]
    return Seconds(min(s.wall for s in found), min(s.processor for s in found))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", default=["numpy-stable", "torch-fused"])
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--profile", default="standard", choices=list(PROFILES))
    parser.add_argument("--property", dest="slugs", action="append", choices=list(BY_SLUG))
    parser.add_argument("--rounds", type=int, default=2, help="the fastest of so many counts")
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        seconds = bare(*json.loads(given.bare))
        print(json.dumps([seconds.wall, seconds.processor]))
        return
    slugs = given.slugs or [prop.slug for prop in PROPERTIES]
    print(f"{'':20} {'':9} {'start':>8} {'bare':>9} {'isolated':>9} {'cost':>7}")
    for name in given.names:
        chosen = (name, given.dtype, given.profile)
        start = least(lambda c=chosen: isolated(*c, ()), given.rounds)
        alone = least(lambda c=chosen: bare_elsewhere(*c, slugs), given.rounds)
        inside = least(lambda c=chosen: isolated(*c, slugs), given.rounds) - start
        for kind in ("wall", "processor"):
            s, a, i = (getattr(seconds, kind) for seconds in (start, alone, inside))
            print(f"{name:20} {kind:9} {s:6.2f} s {a:7.2f} s {i:7.2f} s {i / a - 1:6.1%}")
        verdict = "within" if inside.wall <= (1 + BAR) * alone.wall else "OVER"
        print(f"{name:20} {verdict} the bar of {BAR:.0%}")


if __name__ == "__main__":
    main()
