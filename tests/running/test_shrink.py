"""The case with which a worker was lost is made smaller, by asking again in fresh processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_limits import MISFITS, judge

from conformance.cases.case import Case
from conformance.records.known import Expectation, known_path, save_known
from conformance.records.results import Cell
from conformance.records.schema import Record
from conformance.records.witness import decode_case
from conformance.running import shrink
from conformance.running.shrink import NEEDS_MORE

CASE = Case(
    np.array([[0.5, 3.25, -1.0, 2.0, 0.0], [1.0, -2.0, 0.25, 0.0, 4.0], [0.0, 0.0, 1.5, 0.0, 0.0]]),
    np.array([1, 4, 2]),
    reduction="none",
)


def job(name: str, way: str, **more: object) -> Record:
    return {
        "target": f"{MISFITS}:{name}",
        "name": name,
        "device": "cpu",
        "property": "loss-formula",
        "way": way,
        "patience": 60.0,
        "memory": float("inf"),
        "seconds": 60.0,
        "abreast": 1,
    } | more


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fragile", "worn"])
def test_the_smallest_case_that_ends_a_fresh_process_alike_is_found(name: str) -> None:
    found = shrink.shrink(job(name, "was killed by SIGSEGV"), CASE)
    case = decode_case(found["case"])
    assert case.logits.shape == (2, 3)
    assert (case.logits > 1).sum() == 1
    assert "the smallest case found" in found["note"]


def test_a_case_that_does_no_harm_alone_is_kept_and_that_is_said() -> None:
    found = shrink.shrink(job("tired", "was killed by SIGSEGV"), CASE)
    assert found["note"] == NEEDS_MORE
    assert decode_case(found["case"]).key == CASE.key


def test_nothing_is_claimed_where_a_process_ends_in_another_way() -> None:
    assert shrink.shrink(job("fragile", "was killed by SIGABRT"), CASE)["case"] is None


@pytest.mark.parametrize("fault", [{"seconds": 0.0}, {"device": "moon"}])
def test_nothing_is_claimed_where_nothing_could_be_asked(fault: Record) -> None:
    found = shrink.shrink(job("fragile", "was killed by SIGSEGV", **fault), CASE)
    assert found["case"] is None


@pytest.mark.slow
def test_a_case_without_an_answer_is_made_smaller() -> None:
    found = shrink.shrink(job("hangs", "timeout", patience=1.0), CASE)
    assert decode_case(found["case"]).logits.size < CASE.logits.size
    assert "each given 1 s" in found["note"]


def test_no_more_processes_are_started_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrink, "MOST_RUNS", 3)
    found = shrink.shrink(job("fragile", "was killed by SIGSEGV"), CASE)
    assert 2 < decode_case(found["case"]).logits.size < CASE.logits.size
    assert "in 3 fresh processes" in found["note"]


def crash(folder: Path, name: str, **options: object) -> Cell:
    return judge(folder, name, **options)["float64"]


@pytest.mark.slow
def test_the_record_of_a_crash_has_the_smaller_case(tmp_path: Path) -> None:
    cell = crash(tmp_path, "fragile", shrink=60.0)
    assert cell["outcome"] == "crash"
    assert "killed by SIGSEGV; its witness is the smallest case found" in str(cell["message"])
    assert cell["witness"]
    assert decode_case(cell["witness"]["case"]).logits.shape == (2, 3)
    assert cell["witness"]["message"] == "the worker was killed by SIGSEGV"


def test_a_known_crash_is_not_made_smaller(tmp_path: Path) -> None:
    adapter = tmp_path / MISFITS.name
    adapter.write_text(MISFITS.read_text())
    region = {"dtype": "float64", "device": "cpu"}
    known = Expectation("fragile", "loss-formula", region, ("crash",), "reads address 0")
    save_known(known_path(adapter), [known])
    cell = crash(tmp_path, "fragile", shrink=60.0, adapter=adapter)
    assert cell["expectation"] == "known"
    assert cell["message"] == "the worker was killed by SIGSEGV"
