"""What a cell counts."""

from __future__ import annotations

import adapters
import numpy as np
from adapters import session_of

from conformance.cases.case import Case
from conformance.judging.cell import judge_cell
from conformance.judging.profiles import PROFILES
from conformance.judging.tally import KEPT, Tally
from conformance.properties import BY_SLUG
from conformance.properties.trial import Measure
from conformance.records.witness import decode_case


def case(classes: int) -> Case:
    logits = np.arange(classes, dtype=np.float32)[None]
    return Case(logits, np.array([0]), reduction="none", regime="wide")


def test_the_input_of_the_largest_error_is_kept_where_it_is_small() -> None:
    tally = Tally()
    tally.keep(case(3), Measure(0.5, 1.0, []))
    tally.keep(case(4), Measure(0.2, 9.0, []))
    worst = tally.fields()["worst"]
    assert (worst["ratio"], worst["ulp"], worst["regime"]) == (0.5, 1.0, "wide")
    assert decode_case(worst["case"]).logits.tolist() == [[0, 1, 2]]
    most = tally.fields()["most_ulp"]
    assert (most["ratio"], most["ulp"], most["regime"]) == (0.2, 9.0, "wide")
    assert decode_case(most["case"]).logits.tolist() == [[0, 1, 2, 3]]
    tally.keep(case(KEPT + 1), Measure(0.9, 2.0, []))
    assert tally.fields()["worst"] == {"ratio": 0.9, "ulp": 2.0, "regime": "wide"}


def test_where_errors_are_not_kept_no_input_is() -> None:
    tally = Tally()
    tally.keep(case(3), Measure(0.5, 1.0))
    assert "case" not in tally.fields()["worst"]
    assert tally.fields()["most_ulp"] is None


def test_every_case_that_was_answered_wrongly_is_counted() -> None:
    session = session_of(adapters.capped)
    cell = judge_cell(
        session,
        BY_SLUG["accurate"],
        "float32",
        profile=PROFILES["quick"],
        seed=0,
        expectations=(),
        watch=lambda case: None,
    )
    assert cell["failed"] >= cell["corpus"].count("f") > 0
