"""One cell, judged in this process: every outcome, witnesses, repeatability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import adapters
import numpy as np
import pytest
from adapters import session_of

from conformance.cases.case import Case
from conformance.cases.space import PLAIN
from conformance.contract.discovery import find
from conformance.contract.session import Session, open_session
from conformance.judging.cell import Judge, judge_cell
from conformance.judging.offered import supported_space
from conformance.judging.profiles import PROFILES, Profile
from conformance.properties import BY_SLUG
from conformance.properties.property import Property, states
from conformance.properties.trial import Trial
from conformance.records.known import Expectation
from conformance.records.results import Cell, is_unexpected
from conformance.records.schema import check
from conformance.records.witness import decode_case

QUICK = PROFILES["quick"]
ACCURATE = BY_SLUG["accurate"]


def verdict(
    session: Session,
    prop: Property = ACCURATE,
    dtype: str = "float32",
    *,
    seed: int = 0,
    profile: Profile = QUICK,
    expectations: Sequence[Expectation] = (),
    watch: Any = lambda case: None,
) -> Cell:
    cell = judge_cell(
        session, prop, dtype, profile=profile, seed=seed, expectations=expectations, watch=watch
    )
    check("cell", cell, "the cell")
    return cell


def judge_for(session: Session, prop: Property = ACCURATE) -> Judge:
    narrow = supported_space(prop, session, "float32")
    return Judge(session, prop, "float32", narrow, QUICK, 0, (), lambda case: None)


def stable() -> Session:
    (found,) = find(["numpy-stable"])
    return open_session(found.load())


# -- outcomes ------------------------------------------------------------------------------------


def test_a_right_implementation_passes() -> None:
    cell = verdict(session_of(adapters.right))
    assert cell["outcome"] == "pass"
    regimes = ACCURATE.space.regimes
    floor = QUICK.corpus_per_regime * len(regimes)
    assert cell["examples"] == {"corpus": floor, "searched": QUICK.searched, "floor": floor}
    assert len(cell["corpus"]) == floor
    assert set(cell["regimes"]) == set(regimes)
    assert sum(cell["regimes"].values()) == floor + QUICK.searched
    assert 0 < cell["worst"]["ratio"] <= 1
    assert cell["witness"] is cell["message"] is None
    assert set(cell["accuracy"]) == set(regimes)


def test_a_wrong_one_fails_with_a_witness() -> None:
    cell = verdict(session_of(adapters.capped))
    assert cell["outcome"] == "fail"
    assert is_unexpected(cell)
    assert "f" in cell["corpus"]
    assert "is 50, should be" in cell["message"]
    assert cell["witness"]["kind"] == "wrong"
    assert cell["witness"]["property"] == "accurate"


def test_the_corpus_goes_on_after_a_failure_and_the_search_does_not_begin() -> None:
    cell = verdict(session_of(adapters.capped))
    assert len(cell["corpus"]) == cell["examples"]["floor"]
    assert "p" in cell["corpus"][cell["corpus"].index("f") :]
    assert cell["examples"]["searched"] == 0


def test_an_exception_is_a_failure_that_names_it() -> None:
    cell = verdict(session_of(adapters.refusing_ties))
    assert cell["outcome"] == "fail"
    assert cell["witness"]["kind"] == "raised"
    assert cell["witness"]["got"].startswith("ArithmeticError")


def test_what_is_not_offered_is_unsupported_and_says_what() -> None:
    for slug, reason in (
        ("weight-formula", "weight is not offered"),
        ("gradient-formula", "gradient not offered"),
        ("steps-equal-fused-loss", "stages not offered"),
        ("defaults", "reduction mean is not offered"),
    ):
        cell = verdict(session_of(adapters.right), BY_SLUG[slug])
        assert cell["outcome"] == "unsupported"
        assert reason in cell["reason"]
        assert cell["examples"] == {"corpus": 0, "searched": 0, "floor": 0}


def test_who_answers_differently_the_second_time_is_flaky() -> None:
    cell = verdict(session_of(adapters.alternating()))
    assert cell["outcome"] == "flaky"
    assert "asked again" in cell["message"]
    assert cell["witness"] is not None
    first, again = cell["witness"]["got"], cell["witness"]["again"]
    assert float(first.partition(" ")[0]) == pytest.approx(float(again.partition(" ")[0]) + 1)
    assert f"first {first}, then {again}" in cell["message"]


def test_a_failure_that_repeats_has_no_second_answer() -> None:
    assert verdict(session_of(adapters.capped))["witness"]["again"] is None


def flaky(*answers: Any) -> dict[str, str]:
    """The witness of who answers one by one, and then rightly."""
    left = list(answers)

    def loss(logits: Any, target: Any) -> Any:
        answer = left.pop(0) if left else adapters.right
        if isinstance(answer, Exception):
            raise answer
        return answer(logits, target)

    cell = verdict(session_of(loss))
    assert cell["outcome"] == "flaky"
    return cell["witness"]


def test_both_answers_are_kept_whatever_they_are() -> None:
    witness = flaky(ValueError("not now"))
    assert witness["got"] == "raised ValueError: not now"
    assert witness["again"].startswith("an array (")
    witness = flaky(lambda x, y: adapters.right(x, y)[:, None])
    assert witness["got"].endswith(", 1) of float32")
    witness = flaky(lambda x, y: adapters.right(x, y) * np.float32(np.nan))
    assert witness["got"] == "nan at [0]"
    assert witness["again"].endswith(" at [0]")
    witness = flaky(ValueError("not now"), TypeError("nor now"))
    assert (witness["got"], witness["again"]) == (
        "raised ValueError: not now",
        "raised TypeError: nor now",
    )


def test_an_answer_that_is_no_number_is_told_in_words() -> None:
    asked = []

    def loss(logits: Any, target: Any) -> Any:
        if not asked:
            np.random.seed(0)  # noqa: NPY002
        asked.append(None)
        return adapters.right(logits, target)

    witness = verdict(session_of(loss), BY_SLUG["global-state-untouched"])["witness"]
    assert witness["got"] == "the loss changed NumPy's random state"
    assert witness["again"] == "it holds"


def test_an_adapter_that_returns_no_array_is_an_error() -> None:
    cell = verdict(session_of(adapters.no_array))
    assert cell["outcome"] == "error"
    assert "returned list where an array belongs" in cell["message"]


def planted(body: Any, **fields: Any) -> Property:
    space = PLAIN.but(regimes=("confident-wrong", "typical"))
    return states("Planted.", slug="planted", family="definition", **({"space": space} | fields))(
        body
    )


def test_a_property_that_rejects_nothing_is_vacuous() -> None:
    def only_asks(case: Case, trial: Trial) -> None:
        trial.loss(case)

    cell = verdict(session_of(adapters.right), planted(only_asks))
    assert cell["outcome"] == "vacuous"
    assert is_unexpected(cell)


def test_a_regime_in_which_nothing_was_asked_is_not_run() -> None:
    def only_typical(case: Case, trial: Trial) -> None:
        if case.regime == "typical":
            trial.loss_is_right(case)

    cell = verdict(session_of(adapters.right), planted(only_typical))
    assert cell["outcome"] == "not-run"
    assert cell["reason"] == "fewer than 3 cases were judged in the regime confident-wrong"


def test_a_behaviour_is_labelled() -> None:
    cell = verdict(stable(), BY_SLUG["mean-of-nothing"])
    assert (cell["outcome"], cell["label"], cell["level"]) == ("pass", "nan", "behaviour")


def test_labels_that_differ_from_case_to_case_are_all_kept() -> None:
    def how_many(case: Case, trial: Trial) -> str:
        return "one" if trial.loss(case).size == 1 else "many"

    assert verdict(stable(), planted(how_many, level="behaviour"))["label"] == "many, one"


def test_a_search_finds_what_the_corpus_does_not_hold() -> None:
    corpus: set[Any] = set()
    searchless = replace(QUICK, searched=0)
    verdict(session_of(adapters.right), profile=searchless, watch=lambda c: c and corpus.add(c.key))

    def wrong_elsewhere(logits: Any, target: Any) -> Any:
        key = Case(logits=logits, target=target, reduction="none").key[:2]
        known = {k[:2] for k in corpus}
        return adapters.right(logits, target) + (0 if key in known else 1)

    cell = verdict(session_of(wrong_elsewhere))
    assert "f" not in cell["corpus"]
    assert cell["outcome"] == "fail"
    assert cell["examples"]["searched"] >= 1


def test_a_steered_search_runs() -> None:
    steered = Profile("steered", corpus_per_regime=1, searched=30, steer=True)
    assert verdict(session_of(adapters.right), profile=steered)["outcome"] == "pass"


# -- who is asked what ---------------------------------------------------------------------------


def questions(session: Session, **options: Any) -> list[Any]:
    asked: list[Any] = []
    verdict(session, watch=lambda case: case and asked.append(case.key), **options)
    return asked


def test_each_case_is_watched_before_the_implementation_gets_it() -> None:
    events: list[str] = []

    def loss(logits: Any, target: Any) -> Any:
        events.append("asked")
        return adapters.right(logits, target)

    verdict(session_of(loss), watch=lambda case: case and events.append("watched"))
    assert events[::2] == ["watched"] * (len(events) // 2)
    assert events[1::2] == ["asked"] * (len(events) // 2)


def test_two_right_implementations_are_asked_the_same() -> None:
    def other(logits: Any, target: Any) -> Any:
        return adapters.right(logits.astype(np.float64), target).astype(logits.dtype)

    assert questions(session_of(adapters.right)) == questions(session_of(other))


@pytest.mark.parametrize("function", [adapters.right, adapters.capped, adapters.refusing_ties])
def test_the_same_seed_gives_the_same_record(function: Any) -> None:
    first, second = (verdict(session_of(function), seed=5) for _ in range(2))
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_another_seed_asks_other_cases() -> None:
    first, second = (set(questions(session_of(adapters.right), seed=seed)) for seed in (0, 1))
    assert len(first & second) < len(first) / 10


def test_another_dtype_or_property_searches_elsewhere() -> None:
    both = {"dtypes": ("float32", "float64")}
    shapes = {
        (dtype, slug): [
            key[0][1]
            for key in questions(
                session_of(adapters.right, **both), dtype=dtype, prop=BY_SLUG[slug]
            )
        ]
        for dtype in both["dtypes"]
        for slug in ("accurate", "row-permutation")
    }
    assert len({tuple(found[-20:]) for found in shapes.values()}) == 4


# -- witnesses -----------------------------------------------------------------------------------


def test_a_witness_fails_again_in_the_same_way() -> None:
    for function in (adapters.capped, adapters.refusing_ties, adapters.losing_one_percent):
        session = session_of(function)
        cell = verdict(session)
        failure = judge_for(session).examine(decode_case(cell["witness"]["case"]))
        assert failure is not None
        assert failure.violation.kind == cell["witness"]["kind"]
        assert failure.violation.message == cell["witness"]["message"] == cell["message"]


def test_a_witness_is_small() -> None:
    capped = decode_case(verdict(session_of(adapters.capped))["witness"]["case"])
    assert (capped.rows, capped.classes) == (1, 2)
    assert np.count_nonzero(capped.logits) == 1
    ties = decode_case(verdict(session_of(adapters.refusing_ties))["witness"]["case"])
    assert (ties.rows, ties.classes) == (1, 2)
    assert not ties.logits.any()


def test_a_witness_stays_within_what_its_property_asks() -> None:
    """-inf at the target of one class alone would be another question, with another answer."""

    def finite(logits: Any, target: Any) -> Any:
        return adapters.right(np.maximum(logits, -100), target)

    cell = verdict(session_of(finite), BY_SLUG["masked-target-is-infinite"])
    assert decode_case(cell["witness"]["case"]).classes == 2
    assert cell["witness"]["expected"].startswith("inf")
