"""A counterexample in words: whole where it is small, a shape where it is not."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from conformance.cases.case import Case
from conformance.records.witness import encode_case
from conformance.records.words import in_words


def words(questions: tuple[str, ...] = (), **fields) -> list[str]:
    fields = {"logits": np.array([[0.1, -np.inf]]), "target": np.array([1])} | fields
    asked = [{"question": question, "case": None} for question in questions]
    return in_words({"case": encode_case(Case(**fields)), "asked": asked})


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_small_array_is_shown_to_the_last_place(dtype):
    logits = np.array([[0.1, -np.inf]], dtype)
    assert words(logits=logits)[0] == f"logits = [[ 0.1, -inf]]  ({dtype} (1, 2))"


def test_bfloat16_is_shown_by_its_value():
    logits = np.array([[0.1]], ml_dtypes.bfloat16)
    assert words(logits=logits)[0] == "logits = [[0.100097656]]  (bfloat16 (1, 1))"


def test_a_large_array_is_its_shape():
    assert words(logits=np.zeros((5, 5)))[0] == "logits = float64 (5, 5)"


def test_options_and_layout_are_named_where_they_were_given():
    *_, last = words(reduction="sum", ignore_index=3, layout="class-last")
    assert last == "ignore_index=3, reduction='sum', in the memory layout class-last"
    assert len(words()) == 2


def test_a_cotangent_is_shown_where_a_gradient_was_asked():
    asked = {"cotangent": np.array(2.0)}
    assert "cotangent" in " ".join(words(("gradient",), **asked))
    assert "cotangent" not in " ".join(words(("loss", "loss"), **asked))


def test_what_was_asked_last_is_shown_where_it_is_another():
    case = Case(np.array([[0.5, 1.0]]), np.array([1]))
    wrong = {"question": "loss", "case": encode_case(case.but(target=np.array([-2])))}
    found = in_words(
        {"case": encode_case(case), "asked": [{"question": "loss", "case": None}, wrong]}
    )
    assert found[1:] == ["target = [1]  (int64 (1,))", "then target = [-2]  (int64 (1,))"]
