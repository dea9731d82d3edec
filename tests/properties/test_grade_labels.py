"""What stricter grades say of an answer is a label, whatever it is; ``accurate`` judges."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.cases.case import Case
from conformance.properties import BY_SLUG
from conformance.properties.asking import Answer, Raised, Remembered
from conformance.properties.trial import Trial, Violation
from conformance.properties.truth import Truth

GRADES = ("wide", "relative-accuracy-of-tiny-losses")
CASE = Case(np.array([[2.0, -1.0]], np.float16), np.array([0]), reduction="none")


@pytest.mark.parametrize("slug", GRADES)
@pytest.mark.parametrize(
    ("answer", "label"),
    [
        (Answer(None, Raised("ValueError", "no")), "raises ValueError"),
        (Answer(np.array([7.0], np.float16)), "far beyond"),
        (Answer(np.array([0.0], np.float16)), "nothing left"),
        (Answer(np.zeros((1, 1), np.float16)), "another shape"),
    ],
)
def test_a_grade_has_a_label_for_every_answer(slug: str, answer: Answer, label: str) -> None:
    assert BY_SLUG[slug].body(CASE, Trial(Remembered([answer]), Truth())) == label


def test_a_wrong_gradient_is_held_against_the_formula_and_not_against_another_wrong_one() -> None:
    case = Case(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32), reduction="none")
    case = case.but(cotangent=np.ones(1, np.float32))
    loss, gradient = Answer(np.zeros(1, np.float32)), Answer(np.ones((1, 1), np.float32))
    answers = [loss, loss, gradient, gradient]  # softmax - labels, where the labels sum to 0
    with pytest.raises(Violation, match="is 1, should be 0") as found:
        BY_SLUG["probabilities-need-not-sum-to-one"].body(case, Trial(Remembered(answers), Truth()))
    assert found.value.expected.startswith("0.0")
