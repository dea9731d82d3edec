"""Comparisons look at shape, at NaN and infinities, and at the bound, in this order."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conformance.cases.case import Case
from conformance.errors import AdapterError
from conformance.properties import BY_SLUG
from conformance.properties.asking import Answer, Live, Raised, Remembered
from conformance.properties.trial import Measure, Trial, Violation
from conformance.properties.truth import Truth
from conformance.spec.oracle import Pair

CASE = Case(logits=np.zeros((1, 2), np.float32), target=np.array([0]), reduction="none")
INF, NAN = np.inf, np.nan


def trial(*answers: Answer, measure: Measure | None = None) -> Trial:
    return Trial(Remembered(answers), Truth(), measure)


def exact(*values: float) -> Pair:
    return Pair(np.array(values), np.zeros(len(values)))


def violation(got, expected: Pair, bound, measure: Measure | None = None) -> Violation | None:
    try:
        trial(measure=measure).within("the loss", np.array(got), expected, np.array(bound))
    except Violation as found:
        return found
    return None


def test_within_the_bound_is_right():
    assert violation([1.1, 2.0], exact(1.0, 2.0), [0.125, 0.0]) is None


def test_beyond_the_bound_is_wrong_and_says_where_and_how_far():
    found = violation([1.0, 2.5], exact(1.0, 2.0), [0.1, 0.1])
    assert found is not None
    assert found.kind == "wrong"
    assert "the loss[1] is 2.5, should be 2 ± 0.1 (off by 0.5)" in found.message


def test_the_low_part_of_the_exact_value_counts():
    expected = Pair(np.array([1.0]), np.array([2.0**-60]))
    assert violation([1.0], expected, [2.0**-59]) is None
    assert violation([1.0], expected, [2.0**-61]) is not None


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (Answer(None, Raised("ValueError", "no")), None),
        (Answer(np.array([0.5])), "0.5"),
        (Answer(np.array(NAN)), "nan"),
        (Answer(np.ones((2, 3))), "an array (2, 3)"),
        (Answer(np.ones(0)), "an array (0,)"),
    ],
)
def test_whatever_is_not_raised_is_accepted(answer, accepted):
    assert trial(answer).accepted(CASE) == accepted


def test_no_array_for_a_wrong_question_is_accepted_too():
    class NoArray:
        def ask(self, question, case):
            raise AdapterError("returned NoneType")

    assert Trial(NoArray(), Truth()).accepted(CASE) == "returned NoneType"


@pytest.mark.parametrize("shape", [(), (1,), (2, 1), (3,)])
def test_another_shape_is_wrong_even_if_it_broadcasts(shape):
    found = violation(np.ones(shape), exact(1.0, 1.0), np.full(2, INF))
    assert found is not None
    assert found.kind == "shape"
    assert str(shape) in found.message


@pytest.mark.parametrize(
    ("got", "expected", "kind"),
    [
        (NAN, 1.0, "not-finite"),
        (INF, 1.0, "not-finite"),
        (-INF, INF, "wrong"),
        (1.0, INF, "wrong"),
        (1.0, NAN, "wrong"),
        (INF, NAN, "wrong"),
        (NAN, INF, "wrong"),
        (NAN, NAN, None),
        (INF, INF, None),
        (-INF, -INF, None),
    ],
)
def test_special_values_are_compared_as_such(got, expected, kind):
    found = violation([got], exact(expected), [0.5])
    assert (found and found.kind) == kind


@pytest.mark.parametrize("got", [NAN, INF, -INF, 0.0, 1e300])
@pytest.mark.parametrize("expected", [NAN, INF, 1.0])
def test_an_infinite_bound_requires_nothing(got, expected):
    assert violation([got], exact(expected), [INF]) is None


@given(
    got=hnp.arrays(np.float64, 3, elements=st.floats(allow_nan=True, allow_infinity=True)),
    bound=hnp.arrays(np.float64, 3, elements=st.floats(0, 1e300)),
)
def test_a_value_is_within_any_bound_of_itself(got, bound):
    assert violation(got, Pair(got, np.zeros(3)), bound) is None


@given(value=st.floats(-1e6, 1e6), other=st.floats(-1e6, 1e6), bound=st.floats(0, 1e6))
def test_within_is_the_absolute_difference(value, other, bound):
    assert (violation([value], exact(other), [bound]) is None) == (abs(value - other) <= bound)


def test_narrow_formats_are_compared_as_they_are():
    got = np.array([1.0078125], ml_dtypes.bfloat16)
    assert violation(got, exact(1.0), [0.0078125]) is None
    assert violation(got, exact(1.0), [0.0078]) is not None


def test_the_measure_keeps_the_worst_error_that_passed():
    measure = Measure(errors=[])
    values = np.array([1.0, 1.0 + 2.0**-22], np.float32)
    assert violation(values, exact(1.0, 1.0), [1e-6, 1e-6], measure) is None
    assert measure.ulp == 2
    assert measure.ratio == pytest.approx(2.0**-22 / 1e-6)
    assert [len(ulps) for ulps, _ in measure.errors] == [2]


def test_the_measure_is_not_led_astray_by_special_values():
    measure = Measure(errors=[])
    assert violation([INF, NAN, 1.0], exact(INF, NAN, 1.0), [0, 0, INF], measure) is None
    assert (measure.ratio, measure.ulp) == (0, 0)


def test_an_exception_of_the_implementation_is_a_violation():
    with pytest.raises(Violation, match="raised ValueError: no") as caught:
        trial(Answer(None, Raised("ValueError", "no"))).loss(CASE)
    assert caught.value.kind == "raised"


def test_an_outcome_is_an_answer_or_what_was_raised():
    asked = trial(Answer(np.ones(1)), Answer(None, Raised("ValueError", "no")))
    assert isinstance(asked.outcome(CASE), np.ndarray)
    assert asked.outcome(CASE) == "raises ValueError"


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ([1.0, NAN], [1.0, NAN], True),
        ([0.0], [-0.0], True),
        ([1.0], [np.nextafter(1, 2)], False),
        ([NAN], [1.0], False),
        ([1.0, 1.0], [1.0], False),
    ],
)
def test_identical_means_every_bit_but_the_sign_of_zero(got, expected, same):
    try:
        trial().identical("it", np.array(got), np.array(expected))
    except Violation:
        assert not same
    else:
        assert same


def test_the_right_answer_is_right():
    loss = np.array([np.log(2)], np.float32)
    trial(Answer(loss)).loss_is_right(CASE)
    with pytest.raises(Violation):
        trial(Answer(loss * np.float32(1.01))).loss_is_right(CASE)
    gradient = np.array([[-0.5, 0.5]], np.float32)
    trial(Answer(gradient)).gradient_is_right(CASE)
    with pytest.raises(Violation):
        trial(Answer(-gradient)).gradient_is_right(CASE)


@pytest.mark.parametrize(
    ("got", "kind"), [([0.0, 9.0], None), ([0.0, np.nan], "not-finite"), ([0.0], "shape")]
)
def test_a_question_is_answered_by_any_number(got: list[float], kind: str | None):
    case = Case(np.zeros((2, 3)), np.zeros(2, np.int64), reduction="none")
    asked = trial(Answer(np.array(got)))
    if kind is None:
        asked.is_answered(case)
    else:
        with pytest.raises(Violation) as violation:
            asked.is_answered(case)
        assert violation.value.kind == kind


def test_no_number_is_required_where_there_is_none():
    case = Case(np.zeros((2, 3)), np.zeros(2, np.int64), weight=np.zeros(3), reduction="mean")
    trial(Answer(np.array(np.nan))).is_answered(case)


def test_nothing_is_required_of_a_mean_over_nothing():
    nothing = CASE.but(target=np.array([-100]), reduction="mean")
    assert np.isposinf(Truth().loss_bound(nothing)).all()
    assert not Truth().gradient_bound(nothing).any()


def test_truth_is_remembered_by_content_and_not_for_ever():
    truth = Truth()
    first = truth.solution(CASE)
    assert truth.solution(CASE.but(logits=CASE.logits.copy())) is first
    for k in range(300):
        truth.solution(CASE.but(logits=np.full((1, 2), k, np.float32)))
    assert truth.solution(CASE) is not first
    assert len(truth._known) <= 256


@pytest.mark.parametrize(("got", "bound"), [(1.0, 0.0), (0.75, 0.25), (-INF, INF), (NAN, INF)])
def test_an_inequality_holds_up_to_its_bound(got: float, bound: float):
    trial().at_least("the loss", np.array([got]), np.ones(()), np.array([bound]))


@pytest.mark.parametrize(("got", "kind"), [(0.5, "wrong"), (NAN, "not-finite")])
def test_an_inequality_fails_below_its_bound(got: float, kind: str):
    with pytest.raises(
        Violation, match=r"the loss\[0\] is .*, should be at least 1 - 0.25"
    ) as found:
        trial().at_least("the loss", np.array([got]), np.ones(()), np.array([0.25]))
    assert found.value.kind == kind
    assert found.value.off == (2 if kind == "wrong" else INF)


@pytest.mark.parametrize(
    ("got", "bound", "off"),
    [(1.75, 0.25, 3), (1.75, 0.0, INF), (NAN, 0.25, INF), (-INF, 0.25, INF)],
)
def test_how_far_off_a_wrong_number_is_counts_in_bounds(got: float, bound: float, off: float):
    right, less = np.array([1.0, 1.0]), np.array([1.0, got])
    with pytest.raises(Violation) as found:
        trial().same("the loss", less, right, np.array([1.0, bound]))
    assert found.value.off == off
    with pytest.raises(Violation) as found:
        trial().identical("the loss", less, right)
    assert found.value.off == INF


def test_an_inequality_of_another_shape_is_none():
    with pytest.raises(Violation, match=r"shape \(\), should be \(2,\)"):
        trial().at_least("the loss", np.array(1.0), np.zeros(()), np.zeros(2))


@pytest.mark.parametrize(("whole", "combines"), [(3.0, True), (3.5, False), (NAN, False)])
def test_a_loss_is_a_sum_of_others_times_powers_of_two(whole: float, combines: bool):
    answers = [Answer(np.array([value])) for value in (whole, 4.0, 1.0)]
    try:
        trial(*answers).loss_combines(CASE, ((0.5, CASE), (1.0, CASE)))
    except Violation:
        assert not combines
    else:
        assert combines


def test_a_call_between_others_passes_only_what_is_declared() -> None:
    passed: list[dict[str, Any]] = []

    class Session:
        def loss(self, logits: np.ndarray, target: np.ndarray, **options: Any) -> np.ndarray:
            passed.append(options)
            return np.zeros(len(logits))

    case = Case(
        np.zeros((2, 3), np.float32),
        np.zeros(2, np.int64),
        weight=np.ones(3, np.float32),
        label_smoothing=0.1,
        reduction="none",
        ignore_index=1,
    )
    asker = Live(Session(), frozenset({"reduction", "ignore_index"}), lambda case: None)
    Trial(asker, Truth()).call(case)
    assert passed == [{"reduction": "none", "ignore_index": 1}]


def test_the_numbers_of_a_violation_are_plain() -> None:
    answer = Answer(np.array([[1.5, 0.25]], np.float32))
    with pytest.raises(Violation) as found:
        BY_SLUG["gradient-rows-sum-to-zero"].body(CASE, trial(answer))
    assert found.value.got == "1.75"
