"""One run over everybody in ``saboteurs/`` and three who are right: it ends by itself, with the
expected outcome in every cell, and who is right does not notice that others misbehaved."""

from __future__ import annotations

import os
import signal
import time
import uuid
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
SLUGS = tuple(
    slug
    for slug in (
        "loss-formula",
        "repeatable",
        "inputs-are-not-modified",
        "global-state-untouched",
    )
    if slug in BY_SLUG
)
DTYPES = ("float64", "float32")
MOST_SECONDS = 300
"""On two cores of one's own; on a machine that is shared, in proportion."""

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
        call_timeout=6,
        memory=0.4,
        shrink=1,
    )
    run(plan, path, Silent())
    return read_results(path, strict=True)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder, mark = tmp_path_factory.mktemp("sabotage"), uuid.uuid4().hex
    calm = judge(folder / "calm.jsonl", *RIGHT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARK, mark)
        patch.setattr(runner, "START_TIMEOUT", 30)
        first, second, third = RIGHT
        began = time.monotonic()
        targets = (first, *AT_IMPORT, second, *FILES, third)
        sabotaged = judge(folder / "sabotaged.jsonl", *targets)
        seconds = time.monotonic() - began
    left = survivors(mark)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return Ran(calm, sabotaged, seconds, left)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_cell_of_a_saboteur_says_what_it_did(ran: Ran, name: str) -> None:
    expected = EXPECTED[name]
    cells = ran.cells(name, "float64")
    assert {c["property"]: c["outcome"] for c in cells} == {
        slug: expected.but.get(slug, expected.outcome) for slug in SLUGS
    }, [c["message"] or c["reason"] for c in cells]
    for cell in cells:
        if cell["outcome"] != "pass":
            assert expected.says in (cell["message"] or cell["reason"] or "")


@pytest.mark.parametrize("name", EXPECTED)
def test_the_cells_behind_the_misdeeds_are_judged(ran: Ran, name: str) -> None:
    assert {c["outcome"] for c in ran.cells(name, "float32")} == {"pass"}


@pytest.mark.parametrize(("name", "reason"), EXPECTED_AT_IMPORT.items())
def test_whoever_misbehaves_when_imported_is_not_run(
    ran: Ran, name: str, reason: str | None
) -> None:
    for dtype in DTYPES:
        cells = ran.cells(name, dtype)
        assert len(cells) == len(SLUGS)
        assert {c["outcome"] for c in cells} == {"not-run" if reason else "pass"}
        assert all((reason or "") in (c["reason"] or "") for c in cells)


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_ones_are_untouched(ran: Ran, name: str) -> None:
    def judged(results: Results) -> list[Cell]:
        cells = [c for c in results.cells if c["implementation"] == name]
        return [{**cell, "seconds": 0} for cell in cells]  # type: ignore[typeddict-item]

    assert judged(ran.sabotaged) == judged(ran.calm)
    assert len(judged(ran.calm)) == len(SLUGS) * len(DTYPES)


def test_the_saboteurs_are_all_there(ran: Ran) -> None:
    names = [entry["name"] for entry in ran.sabotaged.header["implementations"]]
    assert len(names) == len(RIGHT) + len(EXPECTED) + len(EXPECTED_AT_IMPORT)
    assert len(ran.sabotaged.cells) == len(names) * len(SLUGS) * len(DTYPES)


def test_nobody_is_left_running(ran: Ran) -> None:
    assert ran.left == {}


def test_the_run_ends_in_time(ran: Ran) -> None:
    share = os.getloadavg()[1] / (os.cpu_count() or 1)
    print(f"{ran.seconds:.0f} s, with {share:.1f} processes a core")
    assert ran.seconds < MOST_SECONDS * max(1, share)
