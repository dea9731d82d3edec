"""A comparison that accepts everything is found out: its cell is vacuous."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import ml_dtypes
import numpy as np
import pytest

from conformance.cases.case import Case
from conformance.cases.space import PLAIN
from conformance.contract.discovery import find
from conformance.contract.session import Session, open_session
from conformance.judging.cell import judge_cell
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG
from conformance.properties.asking import Answer, Raised, Recorder
from conformance.properties.power import REQUIRED, is_sharp, spoiled_and_rejected
from conformance.properties.property import Property, states
from conformance.properties.trial import Trial
from conformance.properties.truth import Truth
from conformance.records.results import Cell

SPACE = PLAIN.but(regimes=("confident-wrong", "typical"))


@pytest.fixture(scope="module")
def session() -> Session:
    (stable,) = find(["numpy-stable"])
    return open_session(stable.load())


def planted(body: Any, **fields: Any) -> Property:
    return states("Planted.", slug="planted", family="definition", **({"space": SPACE} | fields))(
        body
    )


def verdict(session: Session, prop: Property, dtype: str = "float32") -> Cell:
    return judge_cell(
        session,
        prop,
        dtype,
        profile=PROFILES["quick"],
        seed=0,
        expectations=(),
        watch=lambda case: None,
    )


def ask_only(case: Case, trial: Trial) -> None:
    trial.loss(case)


def look_at_the_shape(case: Case, trial: Trial) -> None:
    loss = trial.loss(case)
    trial.require(loss.shape == (case.rows,), "another shape", kind="shape")


def look_at_the_sign(case: Case, trial: Trial) -> None:
    trial.require((trial.loss(case) >= 0).all(), "negative")


def look_at_the_size(case: Case, trial: Trial) -> None:
    loss, exact = trial.loss(case).astype(np.float64), trial.exact(case).loss.hi
    trial.require((np.abs(loss - exact) <= exact / 2).all(), "far away")


@pytest.mark.parametrize("body", [ask_only, look_at_the_shape, look_at_the_sign, look_at_the_size])
def test_a_comparison_that_accepts_too_much_is_vacuous(session: Session, body: Any) -> None:
    cell = verdict(session, planted(body))
    assert cell["outcome"] == "vacuous"
    assert cell["power"]["rejected"] < REQUIRED * cell["power"]["spoiled"]
    assert "a fault of the suite" in cell["message"]


def test_a_property_that_asks_nothing_has_not_run(session: Session) -> None:
    cell = verdict(session, planted(lambda case, trial: None))
    assert cell["outcome"] == "not-run"
    assert set(cell["corpus"]) == {"-"}


def test_a_property_without_its_strong_regime_is_vacuous(session: Session) -> None:
    sharp = planted(lambda case, trial: trial.loss_is_right(case), strong=("gap",))
    cell = verdict(session, sharp)
    assert cell["outcome"] == "vacuous"
    assert cell["power"] == {"spoiled": 0, "rejected": 0}


def test_a_sharp_comparison_rejects_every_spoil(session: Session) -> None:
    cell = verdict(session, planted(lambda case, trial: trial.loss_is_right(case)))
    assert cell["outcome"] == "pass"
    assert cell["power"]["rejected"] == cell["power"]["spoiled"] >= 20


def test_a_label_that_says_nothing_is_vacuous(session: Session) -> None:
    def same_for_all(case: Case, trial: Trial) -> str:
        trial.outcome(case)
        return "something"

    prop = planted(same_for_all, level="behaviour", strong=("typical",))
    assert verdict(session, prop)["outcome"] == "vacuous"


# -- the numbers ---------------------------------------------------------------------------------

ROWS = Case(
    logits=np.array([[0.0, 5.0], [0.0, 6.0], [0.0, 7.0]], np.float32),
    target=np.array([0, 0, 0]),
    reduction="none",
    regime="confident-wrong",
)
RIGHT = planted(lambda case, trial: trial.loss_is_right(case))


def power_of(
    prop: Property, *answers: Any, label: str | None = None, case: Case = ROWS
) -> tuple[int, int]:
    given = [a if isinstance(a, Answer) else Answer(np.asarray(a)) for a in answers]
    live = cast("Recorder", SimpleNamespace(answers=given, asked=[("loss", case)] * len(given)))
    return spoiled_and_rejected(prop, case, live, label, Truth())


def test_rounding_noise_about_the_0_of_one_class_is_spoiled_as_0_is() -> None:
    one = ROWS.but(logits=ROWS.logits[:, :1], target=np.zeros_like(ROWS.target))
    noise = np.array([1e-7, 0, -1e-7], np.float32)
    assert power_of(RIGHT, noise, case=one) == (1, 1)
    assert power_of(RIGHT, np.zeros_like(noise), case=one) == (1, 1)


def test_four_spoils_are_made_of_several_rows() -> None:
    """Zeroed, scaled, negated, swapped."""
    loss = Truth().solution(ROWS).loss.hi.astype(np.float32)
    assert power_of(RIGHT, loss) == (4, 4)


def test_three_of_a_scalar() -> None:
    total = ROWS.but(reduction="sum")
    assert power_of(planted(ask_only), np.float32(3.0), case=total) == (3, 0)


def test_a_spoil_that_is_no_other_answer_is_not_made() -> None:
    assert power_of(planted(ask_only), np.ones(3, np.float32))[0] == 3
    assert power_of(planted(ask_only), np.ones(0, np.float32))[0] == 0


def test_zeros_are_spoiled_by_ones() -> None:
    zero = planted(lambda case, trial: trial.require(not trial.ask("loss", case).any(), "not 0"))
    assert power_of(zero, np.zeros(3, np.float32)) == (1, 1)


def test_the_first_and_the_last_answer_are_spoiled() -> None:
    def third_counts(case: Case, trial: Trial) -> None:
        first, _, third = (trial.ask("loss", case) for _ in range(3))
        trial.identical("it", third, first)

    loss = np.array([1.0, 2.0, 3.0], np.float32)
    assert power_of(planted(third_counts), loss, loss, loss) == (8, 8)


def test_asking_on_after_a_spoil_is_a_rejection() -> None:
    def asks_again(case: Case, trial: Trial) -> None:
        if not trial.ask("loss", case).any():
            trial.ask("loss", case)

    made, rejected = power_of(planted(asks_again), np.float32(3.0))
    assert (made, rejected) == (3, 1)


def test_a_refusal_is_spoiled_by_an_answer_that_looks_valid() -> None:
    assert power_of(BY_SLUG["out-of-range-target"], Answer(None, Raised("IndexError", ""))) == (
        1,
        1,
    )


def test_the_label_of_an_answer_without_numbers_is_spoiled_by_a_number() -> None:
    nothing, mean = np.ones(0, np.float32), ROWS.but(reduction="mean")
    assert power_of(BY_SLUG["mean-of-no-rows"], nothing, label="no number", case=mean) == (1, 1)


def test_special_values_are_spoiled_by_finite_ones_and_by_each_other() -> None:
    seen = []
    special = planted(lambda case, trial: seen.append(trial.ask("loss", case)), about="special")
    power_of(special, np.array([np.nan, np.inf, 2.0], np.float32))
    wanted = ([1, 1, 2], [np.inf, np.nan, 2], [-np.inf, 0, 2])
    assert np.array_equal(seen[:3], wanted, equal_nan=True)
    assert np.isnan(seen[3][2])
    assert np.isposinf(seen[4][2])
    assert len(seen) == 5


def test_a_finite_answer_is_spoiled_by_special_values() -> None:
    seen = []
    special = planted(lambda case, trial: seen.append(trial.ask("loss", case)), about="special")
    power_of(special, np.array([1.0, 2.0], ml_dtypes.bfloat16))
    assert np.isnan(float(seen[0][0]))
    assert np.isposinf(float(seen[1][0]))
    assert len(seen) == 2


def test_bits_that_are_negated_differ() -> None:
    same = planted(
        lambda case, trial: trial.identical(
            "it", trial.ask("loss", case), np.array([0, 7], np.uint8)
        )
    )
    assert power_of(same, np.array([0, 7], np.uint8)) == (4, 4)


@pytest.mark.parametrize(
    ("dtype", "factor"), [("float64", 1.01), ("float32", 1.01), ("float16", 1.125)]
)
def test_values_are_scaled_by_what_the_format_can_tell(dtype: str, factor: float) -> None:
    seen = []
    accepts = planted(lambda case, trial: seen.append(trial.ask("loss", case)))  # returns no label
    power_of(accepts, np.array(2.0, dtype))
    assert float(seen[1]) == pytest.approx(2 * factor, rel=1e-3)


def test_a_wide_answer_to_narrow_logits_is_scaled_by_what_these_can_tell() -> None:
    seen = []
    accepts = planted(lambda case, trial: seen.append(trial.ask("loss", case)))  # returns no label
    narrow = ROWS.but(logits=ROWS.logits.astype(np.float16))
    power_of(accepts, np.array(2.0, np.float32), case=narrow)
    assert float(seen[1]) == 2.25


def test_bfloat16_is_doubled() -> None:
    seen = []
    accepts = planted(lambda case, trial: seen.append(trial.ask("loss", case)))  # returns no label
    power_of(accepts, np.array(2.0, ml_dtypes.bfloat16))
    assert float(seen[1]) == 4


@pytest.mark.parametrize(
    ("change", "sharp"),
    [
        ({}, True),
        ({"regime": "typical"}, False),
        ({"weight": np.array([1, -1], np.float32)}, True),
        ({"weight": np.array([1, -1], np.float32), "reduction": "sum"}, False),
        ({"weight": np.array([1, -1], np.float32), "label_smoothing": 0.5}, False),
        ({"weight": np.array([0, 1], np.float32), "reduction": "mean"}, False),
        ({"target": np.full(3, -100), "reduction": "mean"}, False),
        ({"logits": ROWS.logits[:, :1]}, False),
    ],
)
def test_the_power_test_counts_on_decided_answers_of_strong_regimes(
    change: dict[str, Any], sharp: bool
) -> None:
    strong = replace(RIGHT, strong=("confident-wrong",))
    assert is_sharp(strong, ROWS.but(**change), Truth()) is sharp
