"""One run over everybody in ``saboteurs/`` and three who are right: it ends by itself, with the
expected outcome in every cell, and who is right does not notice that others misbehaved."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from saboteur import Expected
from survivors import MARK, survivors

from conformance.contract.discovery import find
from conformance.properties import BY_SLUG
from conformance.records.results import Cell, Results, read_results
from conformance.running import runner
from conformance.running.runner import Plan, run

HERE = Path(__file__).parent
FILES = [str(path) for path in sorted((HERE / "saboteurs").glob("*.py"))]
AT_IMPORT = [str(path) for path in sorted((HERE / "saboteurs" / "importing").glob("*.py"))]
RIGHT = ("numpy-stable", "scipy-log-softmax", "numpy-by-hand")
SLUGS = ("loss-formula", "repeatable", "inputs-are-not-modified", "global-state-untouched")
DTYPES = ("float64", "float32")
MOST_SECONDS = 300
"""On two cores of one's own."""

pytestmark = pytest.mark.slow

EXPECTED: dict[str, Expected] = {
    found.name: found.load().function.expected  # type: ignore[attr-defined]
    for found in find(FILES)
}
EXPECTED_AT_IMPORT = {
    "dies-at-import": "lost in loading: the worker was killed by SIGSEGV",
    "exits-at-import": "SystemExit: not today",
    "hangs-at-import": "lost in loading: no answer within",
    "interrupts-at-import": "KeyboardInterrupt",
    "leaves-at-import": "lost in loading: the worker exited with status 7",
    "loud-at-import": None,
    "raises-at-import": "RuntimeError: not today",
    "slow-at-import": None,
}
"""Why nothing could be asked; None where it is as right as anybody."""


class Silent:
    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: Cell) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


@dataclass
class Ran:
    calm: Results
    sabotaged: Results
    seconds: float
    left: dict[int, str]

    def cells(self, name: str, dtype: str) -> list[Cell]:
        cells = [c for c in self.sabotaged.cells if c["implementation"] == name]
        return [c for c in cells if c["dtype"] == dtype]


def judge(path: Path, *targets: str) -> Results:
    plan = Plan(
        find(targets),
        [BY_SLUG[slug] for slug in SLUGS],
        dtypes=DTYPES,
        profile="quick",
        workers=2,
        timeout=60,
        call_timeout=4,
        memory=0.4,
        shrink=0,  # which has tests of its own
    )
    run(plan, path, Silent())
    return read_results(path, strict=True)


def sabotaged_run(folder: Path) -> Ran:
    mark = uuid.uuid4().hex
    calm = judge(folder / "calm.jsonl", *RIGHT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARK, mark)
        patch.setattr(runner, "START_TIMEOUT", 15)
        first, second, third = RIGHT
        began = time.monotonic()
        targets = (first, *AT_IMPORT, second, *FILES, third)
        sabotaged = judge(folder / "sabotaged.jsonl", *targets)
        seconds = time.monotonic() - began
    left = survivors(mark)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return Ran(calm, sabotaged, seconds, left)


def of_a_saboteur(ran: Ran, name: str) -> Iterator[str]:
    """Its misdeeds in float64 have the outcome they should; behind them it is judged as right."""
    expected = EXPECTED[name]
    for cell in ran.cells(name, "float64"):
        said = cell["message"] or cell["reason"] or ""
        outcome = expected.but.get(cell["property"], expected.outcome)
        if cell["outcome"] != outcome or (outcome != "pass" and expected.says not in said):
            yield f"{cell['id']}: {cell['outcome']}, not {outcome} ({expected.says}): {said}"
    for cell in ran.cells(name, "float32"):
        if cell["outcome"] != "pass":
            yield f"{cell['id']}: {cell['outcome']}, not pass: {cell['message']}"


def at_import(ran: Ran, name: str) -> Iterator[str]:
    """Whoever misbehaves when imported is not run, and says why."""
    reason = EXPECTED_AT_IMPORT[name]
    for cell in [*ran.cells(name, "float64"), *ran.cells(name, "float32")]:
        outcome = "not-run" if reason else "pass"
        if cell["outcome"] != outcome or (reason or "") not in (cell["reason"] or ""):
            yield f"{cell['id']}: {cell['outcome']}, not {outcome} ({reason}): {cell['reason']}"


def judged(results: Results, name: str) -> list[Cell]:
    cells = [c for c in results.cells if c["implementation"] == name]
    return [{**cell, "seconds": 0} for cell in cells]  # type: ignore[typeddict-item]


def test_one_run_over_all_of_them(tmp_path: Path) -> None:
    """One test, not many: under xdist each worker would make the run again."""
    ran = sabotaged_run(tmp_path)
    wrong = [complaint for name in EXPECTED for complaint in of_a_saboteur(ran, name)]
    wrong += [complaint for name in EXPECTED_AT_IMPORT for complaint in at_import(ran, name)]
    assert not wrong, "\n".join(wrong)
    for name in RIGHT:
        assert judged(ran.sabotaged, name) == judged(ran.calm, name)
    names = [entry["name"] for entry in ran.sabotaged.header["implementations"]]
    assert len(names) == len(RIGHT) + len(EXPECTED) + len(EXPECTED_AT_IMPORT)
    assert len(ran.sabotaged.cells) == len(names) * len(SLUGS) * len(DTYPES)
    assert ran.left == {}, "somebody is left running"
    print(f"{ran.seconds:.0f} s")
    assert ran.seconds < MOST_SECONDS
