"""What the import and the first calls of an implementation change is undone, and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import adapters
import numpy as np

from conformance.contract.discovery import find
from conformance.contract.settings import read_floating_point
from conformance.judging.cell import judge_cell
from conformance.judging.opening import first_asked, load
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG
from conformance.records.results import Cell, read_results
from conformance.running.runner import Plan, run

ADAPTER = str(Path(__file__).with_name("rounds_at_import.py"))
UNTOUCHED = BY_SLUG["global-state-untouched"]
IMPORTED = (
    "importing it changed the floating-point environment from rounding to nearest to rounding "
    "upward"
)


def verdict(session: Any, slug: str = UNTOUCHED.slug) -> Cell:
    return judge_cell(
        session,
        BY_SLUG[slug],
        session.implementation.declared.dtypes[0],
        profile=PROFILES["quick"],
        seed=0,
        expectations=(),
        watch=lambda case: None,
    )


def test_what_an_import_changed_is_undone_and_said() -> None:
    (found,) = find((ADAPTER,))
    implementation, said = load(found)
    assert said == IMPORTED
    assert read_floating_point().rounding == "to nearest"
    session = first_asked(implementation, "cpu", said)
    cell = verdict(session)
    assert cell["outcome"] == "fail"
    assert cell["message"] == IMPORTED
    assert verdict(session, "accurate")["outcome"] == "pass"


def test_an_import_that_changes_nothing_has_nothing_said_about_it() -> None:
    (found,) = find(("numpy-stable",))
    implementation, said = load(found)
    assert said == ""
    assert first_asked(implementation, "cpu", said).noticed == ""


def test_what_the_first_call_alone_changes_is_said_ever_after() -> None:
    asked: list[None] = []

    def loss(logits: Any, target: Any) -> Any:
        if not asked:
            np.random.seed(0)  # noqa: NPY002
        asked.append(None)
        return adapters.right(logits, target)

    session = first_asked(adapters.adapted(loss), "cpu", "")
    assert session.noticed == "the loss changed NumPy's random state"
    cell = verdict(session)
    assert cell["outcome"] == "fail"
    assert cell["message"] == session.noticed


def test_an_adapter_that_is_broken_is_left_to_smoke() -> None:
    for broken in (adapters.no_array, lambda logits, target: 1 / 0):
        assert first_asked(adapters.adapted(broken), "cpu", "").noticed == ""


class Silent:
    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: Cell) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


def test_a_run_says_so_in_the_cell(tmp_path: Path) -> None:
    props = [UNTOUCHED, BY_SLUG["accurate"]]
    plan = Plan(find((ADAPTER,)), props, profile="quick")
    run(plan, tmp_path / "results.jsonl", Silent())
    cells = read_results(tmp_path / "results.jsonl", strict=True).cells
    said = {cell["property"]: (cell["outcome"], cell["message"]) for cell in cells}
    assert said == {"global-state-untouched": ("fail", IMPORTED), "accurate": ("pass", None)}
