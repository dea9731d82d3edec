"""The smallest case that still fails is found, and fails."""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from supports import questions

from conformance.cases.build import Draw, build
from conformance.cases.case import Case
from conformance.cases.minimise import minimise
from conformance.cases.space import EVERYTHING, Space
from conformance.properties.transform import ignore_index_of, kept
from conformance.spec.formats import FORMATS

HARD = EVERYTHING.but(targets=("indices",))


def case_of(space: Space, seed: int, **sizes: int) -> Case:
    draw = Draw(regime="typical", seed=seed, **({"rows": 6, "classes": 7} | sizes))
    return build(draw, space, space, FORMATS["float32"])[0]


PREDICATES: dict[str, Any] = {
    "always": lambda case: True,
    "a large logit": lambda case: bool((np.abs(case.logits) > 0.75).any()),
    "two classes": lambda case: case.classes >= 2,
    "two rows": lambda case: case.rows >= 2,
    "an ignored row": lambda case: bool((~kept(case)).any()),
    "a weight": lambda case: case.weight is not None,
    "a weight other than 1": lambda case: (
        case.weight is not None and bool((case.weight != 1).any())
    ),
    "smoothing": lambda case: bool(case.label_smoothing),
    "a layout": lambda case: case.layout != "contiguous",
    "a negative cotangent": lambda case: bool((case.cotangent < 0).any()),
    "class 2 is asked for": lambda case: bool((case.target == 2).any()),
}


@given(question=questions(), name=st.sampled_from(sorted(PREDICATES)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_returned_fails_and_is_no_larger(question: Any, name: str) -> None:
    space, draw, fmt = question
    case, _ = build(draw, space, space, fmt)
    fails = PREDICATES[name]
    if not fails(case) or case.logits.size > 2000:
        return
    small = minimise(case, fails)
    assert fails(small)
    assert small.logits.size <= case.logits.size
    assert small.logits.dtype == case.logits.dtype
    assert small.target.dtype == case.target.dtype


@given(question=questions(), name=st.sampled_from(sorted(PREDICATES)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_case_that_is_tried_is_well_formed(question: Any, name: str) -> None:
    space, draw, fmt = question
    case, _ = build(draw, space, space, fmt)
    if not PREDICATES[name](case) or case.logits.size > 2000:
        return

    def fails(smaller: Case) -> bool:
        axis, shape = smaller.class_axis, smaller.logits.shape
        dims = shape[:axis] + shape[axis + 1 :]
        assert smaller.target.shape == (shape if smaller.soft else dims)
        assert smaller.weight is None or smaller.weight.shape == (smaller.classes,)
        assert smaller.cotangent is not None
        assert smaller.cotangent.shape in ((), dims)
        if not smaller.soft:
            labels = smaller.target[smaller.target != ignore_index_of(smaller)]
            assert ((labels >= 0) & (labels < smaller.classes)).all()
        return bool(PREDICATES[name](smaller))

    minimise(case, fails, attempts=60)


@pytest.mark.parametrize("seed", range(5))
def test_the_plainest_case_is_found_where_everything_fails(seed: int) -> None:
    small = minimise(case_of(HARD, seed), PREDICATES["always"], seconds=10)
    assert (small.rows, small.classes) == (1, 1)
    assert small.weight is None
    assert small.label_smoothing is None
    assert small.layout == "contiguous"
    assert not small.logits.any()
    assert (small.cotangent == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_one_logit_is_left_of_a_fault_in_one(seed: int) -> None:
    case = case_of(HARD.but(shapes=("batched",)), seed)
    row, column = seed, (seed + 1) % case.classes
    case.logits[row, column] = 1e6
    small = minimise(case, lambda c: bool((c.logits == 1e6).any()), seconds=10)
    assert small.rows == 1
    assert small.classes <= 2  # a class that the target names stays
    assert np.count_nonzero(small.logits) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_class_that_is_asked_for_keeps_its_place_in_the_target(seed: int) -> None:
    case = case_of(HARD.but(ignored=("none",), shapes=("batched",)), seed)
    weights = np.arange(1, case.classes + 1).astype(np.float32)
    wanted = float(weights[case.target[0]])
    case = case.but(weight=weights)

    def fails(c: Case) -> bool:
        return c.weight is not None and bool((c.weight[c.target] == wanted).any())

    small = minimise(case, fails, seconds=10)
    assert (small.rows, small.classes) == (1, 1)


@pytest.mark.parametrize("rows", [2, 3])
def test_no_row_too_many_is_dropped(rows: int) -> None:
    small = minimise(case_of(HARD.but(shapes=("batched",)), 1), lambda c: c.rows >= rows)
    assert small.rows == rows


def test_attempts_are_limited() -> None:
    asked = []
    minimise(case_of(HARD, 0), lambda c: asked.append(c) is not None, attempts=7)
    assert len(asked) <= 7


def test_time_is_limited() -> None:
    def slow(case: Case) -> bool:
        sleep(0.02)
        return False

    started = monotonic()
    minimise(case_of(HARD, 0, rows=6), slow, seconds=0.1)
    assert monotonic() - started < 1


def test_a_case_that_cannot_be_smaller_is_returned_as_it_is() -> None:
    case = case_of(HARD, 3)
    assert minimise(case, lambda smaller: False) is case
