"""A case is its content; a space says what an implementation must offer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supports import SPACES, capabilities, questions

from conformance.cases.build import build
from conformance.cases.case import OPTIONS, Case
from conformance.cases.space import EVERYTHING, PLAIN
from conformance.cases.worked_example import LOSS, worked_example
from conformance.errors import Unsupported

CASE = Case(
    logits=np.array([[0.0, 1.0, 2.0]], np.float32),
    target=np.array([1]),
    weight=np.array([1.0, 2.0, 3.0], np.float32),
    ignore_index=-100,
    label_smoothing=0.1,
    reduction="sum",
    cotangent=np.array(1.0, np.float32),
)

OTHERS: dict[str, Any] = {
    "logits": np.array([[0.0, 1.0, np.nextafter(np.float32(2), np.float32(3))]], np.float32),
    "target": np.array([2]),
    "weight": None,
    "ignore_index": -1,
    "label_smoothing": 0.2,
    "reduction": "mean",
    "size_average": True,
    "reduce": False,
    "cotangent": None,
    "layout": "fortran",
}


@pytest.mark.parametrize("field", OTHERS)
def test_the_key_tells_cases_apart_by(field: str) -> None:
    assert CASE.but(**{field: OTHERS[field]}).key != CASE.key


def test_the_key_tells_dtypes_and_shapes_of_the_same_bytes_apart() -> None:
    zeros = CASE.but(logits=np.zeros((1, 3), np.float32), weight=None)
    assert zeros.but(logits=np.zeros((3, 1), np.float32)).key != zeros.key
    assert zeros.but(target=np.array([1], np.uint64)).key != zeros.key


def test_the_key_tells_signed_zeros_and_nans_apart() -> None:
    assert CASE.but(logits=-0.0 * CASE.logits).key != CASE.but(logits=0.0 * CASE.logits).key
    nan = CASE.but(logits=np.full((1, 3), np.nan, np.float32))
    assert nan.key == nan.but(logits=nan.logits.copy()).key


@given(question=questions())
@settings(max_examples=100, deadline=None)
def test_equal_content_has_an_equal_key(question: Any) -> None:
    space, draw, fmt = question
    case, _ = build(draw, space, space, fmt)
    arrays = ("logits", "target", "weight", "cotangent")
    copies = {n: None if (a := getattr(case, n)) is None else np.array(a) for n in arrays}
    again = case.but(**copies)
    assert again.key == case.key
    assert hash(again.key) == hash(case.key)


def test_an_option_that_is_none_is_left_out_of_the_call() -> None:
    for name in OPTIONS:
        assert name not in CASE.but(**{name: None}).arguments()[2]
    assert set(CASE.arguments()[2]) == {"weight", "ignore_index", "label_smoothing", "reduction"}


@pytest.mark.parametrize(
    ("shape", "axis", "rows"), [((5,), 0, 1), ((3, 5), 1, 3), ((2, 5, 4, 3), 1, 24), ((0, 5), 1, 0)]
)
def test_rows_are_all_positions_but_the_class_axis(shape: Any, axis: int, rows: int) -> None:
    case = CASE.but(logits=np.zeros(shape, np.float32))
    assert (case.class_axis, case.classes, case.rows) == (axis, 5, rows)


def test_the_worked_example_has_its_loss() -> None:
    example = worked_example("float64")
    x = example.logits
    losses = np.log(np.exp(x).sum(1)) - x[np.arange(4), example.target]
    assert f"{losses.mean():.4f}" == LOSS


@given(space=SPACES, has=capabilities())
@settings(max_examples=300, deadline=None)
def test_narrowing_keeps_a_part_of_every_axis_or_says_what_is_missing(space: Any, has: Any) -> None:
    try:
        narrow = space.narrow(has)
    except Unsupported as unsupported:
        reason = str(unsupported)
    else:
        reason = ""
    if reason:
        assert reason.endswith("not offered")
        return
    for axis in ("targets", "weights", "ignored", "smoothings", "shapes", "layouts"):
        assert set(getattr(narrow, axis)) <= set(getattr(space, axis))
        assert getattr(narrow, axis)
    assert narrow.narrow(has) == narrow


def test_who_has_no_mean_is_not_asked_for_the_default() -> None:
    class Sums:
        options = frozenset({"reduction"})
        targets, shapes, layouts = ("indices",), ("batched",), ("contiguous",)
        reductions, target_dtypes = ("none", "sum"), ("int64",)

    assert None not in EVERYTHING.narrow(Sums()).reductions
    with pytest.raises(Unsupported, match="reduction mean is not offered"):
        PLAIN.but(reductions=("mean",)).narrow(Sums())


@given(change=st.sampled_from(["weight", "rows", "classes", "smoothing", "ignored"]))
def test_a_space_does_not_admit_what_it_does_not_ask(change: str) -> None:
    case = CASE.but(
        logits=np.zeros((2, 3), np.float32), target=np.array([0, 1]), label_smoothing=0.5
    )
    space = EVERYTHING.but(
        weights=("ones",),
        smoothings=(0.5,),
        ignored=("some",),
        min_rows=2,
        min_classes=3,
    )
    ones = case.but(weight=np.ones(3, np.float32))
    assert space.admits(ones)
    others = {
        "weight": case,
        "rows": ones.but(logits=ones.logits[:1], target=ones.target[:1]),
        "classes": ones.but(logits=ones.logits[:, :2], weight=np.ones(2, np.float32)),
        "smoothing": ones.but(label_smoothing=None),
        "ignored": ones.but(target=np.array([-100, -100])),
    }
    assert not space.admits(others[change])
