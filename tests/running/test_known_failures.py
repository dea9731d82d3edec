"""A cell that was expected to fail: known, stale, or unexpected all the same."""

from __future__ import annotations

from typing import Any

import adapters
import numpy as np
import pytest
from adapters import session_of
from test_cell import QUICK, verdict

from conformance.judging import cell
from conformance.properties.features import features
from conformance.properties.truth import Truth
from conformance.records.known import Expectation
from conformance.records.results import Cell, is_unexpected
from conformance.records.witness import decode_case


def expectation_of(cell: Cell, **fields: Any) -> Expectation:
    known: dict[str, Any] = {
        "implementation": "planted",
        "property": "accurate",
        "when": {"max_loss": {">": 49}},
        "fails": ("wrong",),
        "reason": "losses end at 50",
        "link": "https://example.org/1",
        "witnesses": (cell["witness"],),
    }
    return Expectation(**(known | fields))


@pytest.fixture(scope="module")
def failed() -> Cell:
    return verdict(session_of(adapters.capped))


def test_an_expected_failure_is_known(failed: Cell) -> None:
    cell = verdict(session_of(adapters.capped), expectations=[expectation_of(failed)])
    assert (cell["outcome"], cell["expectation"]) == ("fail", "known")
    assert (cell["reason"], cell["link"]) == ("losses end at 50", "https://example.org/1")
    assert not is_unexpected(cell)
    assert cell["witness"]["case"] == failed["witness"]["case"]
    assert cell["examples"]["searched"] == QUICK.searched  # the search goes on around it


def test_it_is_known_without_a_witness_too(failed: Cell) -> None:
    cell = verdict(session_of(adapters.capped), expectations=[expectation_of(failed, witnesses=())])
    assert (cell["outcome"], cell["expectation"]) == ("fail", "known")


def test_the_reason_of_this_very_property_goes_before_that_of_all(failed: Cell) -> None:
    known = [
        expectation_of(failed, property=prop, reason=f"of {prop}", when={}, witnesses=())
        for prop in ("*", "accurate")
    ]
    cell = verdict(session_of(adapters.capped), expectations=known)
    assert (cell["expectation"], cell["reason"]) == ("known", "of accurate")


def test_an_expected_failure_is_made_smaller_within_its_region_where_nobody_could_read_it(
    failed: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [
        expectation_of(failed, when={"rows": rows}, witnesses=()) for rows in ({">": 1}, {"<=": 1})
    ]

    def shape() -> tuple[int, int]:
        found = verdict(session_of(adapters.capped), expectations=known)
        assert (found["outcome"], found["expectation"]) == ("fail", "known")
        case = decode_case(found["witness"]["case"])
        return case.rows, case.classes

    as_it_was = shape()
    assert 6 < as_it_was[0] * as_it_was[1] <= cell.READABLE
    monkeypatch.setattr(cell, "READABLE", 6)
    assert shape() == (2, 2)


def test_an_expected_failure_that_passes_is_stale(failed: Cell) -> None:
    cell = verdict(session_of(adapters.right), expectations=[expectation_of(failed)])
    assert (cell["outcome"], cell["expectation"]) == ("pass", "stale")
    assert cell["reason"] == "losses end at 50"
    assert is_unexpected(cell)


def test_it_is_not_stale_while_other_cases_fail_as_recorded(failed: Cell) -> None:
    """What lies in memory by chance may be right, and the fault be there all the same."""

    def capped_in_large(logits: Any, target: Any) -> Any:
        return (adapters.right if logits.size <= 2 else adapters.capped)(logits, target)

    cell = verdict(session_of(capped_in_large), expectations=[expectation_of(failed)])
    assert (cell["outcome"], cell["expectation"]) == ("fail", "known")
    assert cell["witness"]["case"] != failed["witness"]["case"]


@pytest.mark.parametrize(
    "elsewhere",
    [{"versions": {"another": "1.0"}}, {"machine": "a machine of another kind"}],
)
def test_it_is_not_stale_where_it_was_never_seen(failed: Cell, elsewhere: Any) -> None:
    known = expectation_of(failed, **elsewhere)
    cell = verdict(session_of(adapters.right), expectations=[known])
    assert (cell["outcome"], cell["expectation"]) == ("pass", None)


def test_a_failure_outside_the_region_is_unexpected(failed: Cell) -> None:
    known = expectation_of(failed, when={"regime": ["gap", "near-overflow"]}, witnesses=())
    cell = verdict(session_of(adapters.capped), expectations=[known])
    assert (cell["outcome"], cell["expectation"]) == ("fail", None)
    assert features_of(cell)["regime"] == "large"


def features_of(cell: Cell) -> dict[str, Any]:
    return features(decode_case(cell["witness"]["case"]), Truth(), "cpu")


def test_failing_in_another_way_is_unexpected(failed: Cell) -> None:
    known = expectation_of(failed, fails=("not-finite",), when={}, witnesses=())
    cell = verdict(session_of(adapters.capped), expectations=[known])
    assert (cell["outcome"], cell["expectation"]) == ("fail", None)


@pytest.mark.parametrize(
    ("raised", "another"),
    [("ArithmeticError", "ValueError"), ("std::out_of_range", "std::length_error")],
)
def test_raising_another_exception_is_unexpected(raised: str, another: str) -> None:
    def loss(logits: Any, target: Any) -> Any:
        try:
            return adapters.refusing_ties(logits, target)
        except ArithmeticError as error:
            raise type(raised, (Exception,), {})(str(error)) from None

    session = session_of(loss)
    cell = verdict(session)
    for exception, expectation in ((raised, "known"), (another, None)):
        known = expectation_of(
            cell, fails=("raised",), exception=exception, when={}, reason="no ties", witnesses=()
        )
        assert verdict(session, expectations=[known])["expectation"] == expectation


def test_an_unexpected_failure_shows_beside_a_known_one(failed: Cell) -> None:
    def doubly_wrong(logits: Any, target: Any) -> Any:
        loss = adapters.capped(logits, target)
        return np.where((loss > 1) & (loss < 10), loss * 1.5, loss).astype(logits.dtype)

    cell = verdict(session_of(doubly_wrong), expectations=[expectation_of(failed)])
    assert (cell["outcome"], cell["expectation"]) == ("fail", None)
    assert features_of(cell)["max_loss"] < 10


def test_another_property_s_expectation_does_not_count(failed: Cell) -> None:
    known = expectation_of(failed, property="loss-formula")
    cell = verdict(session_of(adapters.capped), expectations=[known])
    assert cell["expectation"] is None
