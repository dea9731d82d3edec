"""Questions after which a device may answer no more: asked once, in a process of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.cases.case import Case
from conformance.contract.discovery import find
from conformance.contract.session import Session, open_session
from conformance.errors import AdapterError, Unsupported
from conformance.judging.cell import judge_cell
from conformance.judging.offered import supported_space
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.properties.trial import Violation
from conformance.records.results import Cell, is_unexpected
from conformance.records.schema import check
from conformance.running.apart import FRUGAL, Answerers, Apart, decoded, judge_apart

ADAPTERS = str(Path(__file__).with_name("out_of_range.py"))
QUESTION = BY_SLUG["out-of-range-target"]
ANSWER = BY_SLUG["out-of-range-target-answer"]

X = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0]], np.float32)
FINE = Case(logits=X, target=np.array([2, 0]), reduction="none")
WRONG = FINE.but(target=np.array([2, 3]))


def session_of(name: str) -> Session:
    (found,) = (item for item in find((ADAPTERS,)) if item.name == name)
    return open_session(found.load())


def verdict(name: str, prop: Any = QUESTION, session: Session | None = None) -> Cell:
    cell = judge_apart(
        session or session_of(name),
        prop,
        "float32",
        target=ADAPTERS,
        seed=0,
        expectations=(),
        watch=lambda case: None,
    )
    check("cell", cell, "the cell")
    return cell


def answerers(name: str) -> Answerers:
    return Answerers({"target": ADAPTERS, "name": name, "device": "cpu", "dtype": "float32"})


def test_who_refuses_passes_in_one_process() -> None:
    with answerers("refuses") as some:
        asker = Apart(some, lambda case: None)
        for _ in range(3):
            assert asker.ask("loss", FINE).value.shape == (2,)
            assert str(asker.ask("loss", WRONG).raised) == "IndexError: a label is out of range"
        assert some.started == 1
        assert len(asker.answers) == len(asker.asked) == 6
    cell = verdict("refuses")
    assert cell["outcome"] == "pass"
    assert cell["examples"] == {"corpus": 6, "searched": 0, "floor": 6}


def test_what_an_adapter_cannot_pass_on_is_unsupported_there_too() -> None:
    cell = verdict("declines")
    assert (cell["outcome"], cell["reason"]) == (
        "unsupported",
        "labels out of range have no place in its file format",
    )


def test_who_poisons_the_device_is_asked_on_in_a_fresh_process() -> None:
    with answerers("poisons") as some:
        asker = Apart(some, lambda case: None)
        for _ in range(2):
            assert asker.ask("loss", FINE).value is not None
            assert asker.ask("loss", WRONG).raised.type == "RuntimeError"
        assert some.started == 2


@pytest.mark.slow
def test_who_poisons_the_device_passes_and_this_process_is_untouched() -> None:
    session = session_of("poisons")
    cell = verdict("poisons", session=session)
    assert cell["outcome"] == "pass"
    assert session.loss(X, FINE.target).shape == (2,)
    assert verdict("poisons", ANSWER)["label"] == "raises RuntimeError"


def test_who_dies_of_it_is_a_crash_with_the_signal(capsys: pytest.CaptureFixture[str]) -> None:
    cell = verdict("aborts")
    assert cell["outcome"] == "crash"
    assert is_unexpected(cell)
    assert "was killed by SIGABRT" in cell["message"]
    assert cell["witness"]["kind"] == "crash"
    assert [entry["question"] for entry in cell["witness"]["asked"]] == ["loss", "loss"]
    # It is asked once: this is the only process that died.
    assert capsys.readouterr().out.count("assertion failed") == 1


def test_who_accepts_it_fails_with_the_case_as_it_was_drawn() -> None:
    cell = verdict("accepts")
    assert cell["outcome"] == "fail"
    assert cell["witness"]["kind"] == "accepted"
    assert cell["examples"]["searched"] == 0


def test_each_question_is_noted_before_and_after() -> None:
    noted: list[Case | None] = []
    with answerers("aborts") as some:

        def watch(case: Case | None) -> None:
            assert some.started == 1  # what is noted is the call, not the start of a process
            noted.append(case)

        asker = Apart(some, watch)
        asker.ask("loss", FINE)
        with pytest.raises(Violation, match="killed by SIGABRT"):
            asker.ask("loss", WRONG)
    assert noted == [FINE, None, WRONG, None]


def test_an_adapter_that_does_not_load_there_is_an_error() -> None:
    with (
        Answerers(
            {"target": ADAPTERS, "name": "aborts", "device": "quantum", "dtype": "float32"}
        ) as some,
        pytest.raises(AdapterError, match="declares cpu, not 'quantum'"),
    ):
        Apart(some, lambda case: None).ask("loss", FINE)


@pytest.mark.parametrize(
    "message", [{}, {"raised": None, "value": 3}, {"raised": 1, "value": None}]
)
def test_a_message_that_is_no_answer_is_an_error(message: dict[str, Any]) -> None:
    with pytest.raises(AdapterError):
        decoded(message)


def test_these_are_the_properties_that_are_asked_apart() -> None:
    assert [prop for prop in PROPERTIES if prop.poisons] == [QUESTION, ANSWER]
    assert FRUGAL.corpus_per_regime == PROFILES["quick"].corpus_per_regime


def test_nobody_asks_them_of_an_accelerator_in_his_own_process() -> None:
    elsewhere = replace(session_of("refuses"), device="quantum")
    with pytest.raises(Unsupported, match="it may take quantum down"):
        supported_space(QUESTION, elsewhere, "float32")
    cell = judge_cell(
        elsewhere,
        QUESTION,
        "float32",
        profile=PROFILES["quick"],
        seed=0,
        expectations=(),
        watch=lambda case: None,
    )
    assert cell["outcome"] == "unsupported"
