"""What is said of a case, by the names that regions of known failures use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.cases.case import Case
from conformance.properties.features import features
from conformance.properties.truth import Truth
from conformance.records.known import FEATURES


def said_of(logits: np.ndarray, target: np.ndarray, **options: object) -> dict[str, object]:
    return features(Case(logits, target, **options), Truth(), "cpu")  # type: ignore[arg-type]


def test_the_names_are_those_that_a_region_may_use():
    assert set(said_of(np.zeros((1, 2)), np.zeros(1, np.int64))) == set(FEATURES)


@given(st.lists(st.sampled_from((-100, 0, 1)), max_size=6))
def test_rows_are_kept_or_ignored(labels: list[int]):
    said = said_of(np.zeros((len(labels), 2)), np.array(labels, np.int64))
    assert said["ignored_rows"] == labels.count(-100)
    assert said["kept_rows"] == len(labels) - labels.count(-100)


@pytest.mark.parametrize(
    ("rows", "error"),
    [([[0.5, 0.5], [1.0, 0.0]], 0), ([[0.5, 0.5], [0.5, 0.25]], 0.25), ([[2.0, 1.0]], 2)],
)
def test_the_row_of_probabilities_that_is_furthest_from_1(rows: list[list[float]], error: float):
    target = np.array(rows)
    assert said_of(np.zeros(target.shape), target)["target_sum_error"] == error


def test_probabilities_are_summed_over_the_classes_of_an_image():
    target = np.zeros((1, 2, 3))
    target[:, 0] = 1
    assert said_of(np.zeros((1, 2, 3)), target)["target_sum_error"] == 0


def test_class_indices_have_no_sum():
    assert said_of(np.zeros((1, 2)), np.zeros(1, np.int64))["target_sum_error"] is None
