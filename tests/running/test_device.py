"""A device that answers no more ends the worker, and is blamed on the cell in which it was lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import adapters
import numpy as np
import pytest
from adapters import session_of

import conformance.contract.frameworks.numpy as bridge
from conformance.contract.discovery import Found, find
from conformance.contract.session import Session
from conformance.errors import AdapterError
from conformance.judging import device
from conformance.judging.cell import judge_cell
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG
from conformance.records.known import Expectation
from conformance.records.results import Cell, blank_cell, read_results
from conformance.records.schema import check
from conformance.running import worker
from conformance.running.lost import blamed
from conformance.running.runner import Plan, run
from conformance.running.worker import introduce

ADAPTER = str(Path(__file__).with_name("quantum.py"))


def on_a_device(loss: adapters.Loss) -> Session:
    return replace(session_of(loss), device="quantum")


def lost_at(question: int) -> adapters.Loss:
    """Right, and from some question on it answers nothing."""
    asked = []

    def loss(logits: Any, target: Any) -> Any:
        asked.append(None)
        if len(asked) >= question:
            raise RuntimeError("an illegal memory access was encountered")
        return adapters.right(logits, target)

    return loss


def verdict(session: Session, *expectations: Expectation) -> Cell:
    cell = judge_cell(
        session,
        BY_SLUG["accurate"],
        "float32",
        profile=PROFILES["quick"],
        seed=0,
        expectations=expectations,
        watch=lambda case: None,
    )
    check("cell", cell, "the cell")
    return cell


def test_a_device_that_answers_is_not_lost() -> None:
    assert device.lost(on_a_device(adapters.right), "float32") == ""


def test_silence_says_why() -> None:
    assert "illegal memory access" in device.silence(session_of(lost_at(1)), "float32")
    assert "returned list" in device.silence(session_of(adapters.no_array), "float32")
    assert device.lost(on_a_device(lost_at(1)), "float32").startswith("the device answers no more")


def test_the_cpu_is_never_lost() -> None:
    assert device.lost(session_of(lost_at(1)), "float32") == ""


@pytest.mark.parametrize("question", [1, 5, 40])  # in the corpus, or in the search
def test_a_device_that_is_lost_makes_the_cell_a_crash_with_the_case_that_did_it(
    question: int,
) -> None:
    cell = verdict(on_a_device(lost_at(question)))
    assert cell["outcome"] == "crash"
    assert cell["message"].startswith("the device answers no more: the plainest question raised")
    assert cell["message"].endswith(
        "it began with: raised RuntimeError: an illegal memory access was encountered"
    )
    assert cell["witness"]["kind"] == "crash"
    assert cell["examples"]["corpus"] + cell["examples"]["searched"] == question


def test_a_loss_that_was_expected_is_known_and_ends_the_cell_all_the_same() -> None:
    expected = Expectation(
        implementation="planted",
        property="accurate",
        when={},
        fails=("crash",),
        reason="the kernel reads beyond the row",
    )
    cell = verdict(on_a_device(lost_at(5)), expected)
    assert (cell["outcome"], cell["expectation"]) == ("crash", "known")
    assert cell["reason"] == "the kernel reads beyond the row"
    assert cell["witness"]["kind"] == "crash"
    assert cell["examples"]["corpus"] == 5


def test_who_merely_raises_fails_there_as_on_the_cpu() -> None:
    assert verdict(on_a_device(adapters.refusing_ties))["outcome"] == "fail"


def found() -> Found:
    return next(iter(find((ADAPTER,))))


def test_a_cell_after_which_the_device_is_silent_is_a_crash_whatever_it_was() -> None:
    entry = introduce(adapters.adapted(adapters.right))["entry"]
    for outcome, message in (("pass", None), ("fail", "the loss is 3")):
        cell = blank_cell("quantum", "quantum", "float64", "accurate", "must", outcome=outcome)
        cell["message"], cell["expectation"], cell["reason"] = message, "known", "it does that"
        crash = blamed(cell, "the device answers no more: so", found(), entry, None)
        assert crash["outcome"] == "crash"
        assert crash["message"].startswith("the device answers no more: so")
        assert crash["message"].endswith(message or "so")
        assert crash["expectation"] is crash["reason"] is crash["witness"] is None


def test_a_crash_that_was_found_out_in_its_cell_stays_as_it_is() -> None:
    cell = verdict(on_a_device(lost_at(5)))
    entry = introduce(adapters.adapted(adapters.right))["entry"]
    assert blamed(cell, "silent", found(), entry, None) is cell


# -- the worker ------------------------------------------------------------------------------------


def job(path: Path, **fields: Any) -> dict[str, Any]:
    return {
        "target": ADAPTER,
        "name": "quantum",
        "device": "quantum",
        "dtypes": ["float64"],
        "properties": ["loss-formula", "repeatable"],
        "profile": "quick",
        "seed": 0,
        "shard": (1, 1),
        "done": [],
        "smoke": True,
        "in_flight": str(path / "case"),
    } | fields


def test_a_worker_ends_behind_the_cell_in_which_it_lost_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "devices", bridge.devices)  # the adapter sets it
    said: list[tuple[str, dict[str, Any]]] = []
    worker.work(job(tmp_path), lambda kind, **fields: said.append((kind, fields)))
    assert [kind for kind, _ in said] == ["hello", "ready", "begin", "cell"]
    assert said[-1][1]["outcome"] == "crash"
    assert said[-1][1]["witness"]["case"]["logits"]["dtype"] == "float64"


def test_a_worker_that_finds_the_device_lost_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "devices", bridge.devices)
    monkeypatch.setattr(device, "silence", lambda session, dtype: "as silent as a grave")
    with pytest.raises(AdapterError, match="the device answers no more: as silent as a grave"):
        worker.work(job(tmp_path, smoke=False), lambda kind, **fields: None)


class Silent:
    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: Cell) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


def test_a_run_goes_on_behind_each_loss(tmp_path: Path) -> None:
    slugs = ("loss-formula", "repeatable-answer", "inputs-are-not-modified")
    plan = Plan(
        find((ADAPTER,)), [BY_SLUG[slug] for slug in slugs], device="quantum", profile="quick"
    )
    run(plan, tmp_path / "results.jsonl", Silent())
    results = read_results(tmp_path / "results.jsonl", strict=True)
    outcomes = {(c["dtype"], c["property"]): c["outcome"] for c in results.cells}
    assert outcomes == {
        (dtype, slug): "crash" if dtype == "float64" else "pass"
        for dtype in ("float64", "float32")
        for slug in slugs
    }
    for cell in results.cells:
        if cell["outcome"] == "crash":
            assert np.prod(cell["witness"]["case"]["logits"]["shape"]) > 0
