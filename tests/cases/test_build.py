"""A Draw is a case: always the same one, well formed, and only what the implementation supports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from supports import capabilities, questions

from conformance.cases.build import Draw, build
from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING, PLAIN, Space
from conformance.contract.capabilities import Capabilities
from conformance.errors import Unsupported
from conformance.properties.transform import ignore_index_of, kept
from conformance.properties.truth import reduction_of
from conformance.spec.formats import FORMATS

thorough = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def narrowed(space: Space, has: Capabilities) -> Space | None:
    try:
        return space.narrow(has)
    except Unsupported:
        return None


def content(case: Case) -> tuple[Any, ...]:
    return (*case.key, case.regime)


def shape_of(case: Case) -> str:
    return {1: "unbatched", 2: "batched"}.get(case.logits.ndim, "spatial")


@given(question=questions())
@thorough
def test_the_same_draw_gives_the_same_case(question: Any) -> None:
    space, draw, fmt = question
    assert content(build(draw, space, space, fmt)[0]) == content(build(draw, space, space, fmt)[0])


@given(question=questions(), has=capabilities())
@thorough
def test_who_supports_what_a_case_uses_gets_the_same_case_as_everybody(
    question: Any, has: Capabilities
) -> None:
    space, draw, fmt = question
    narrow = narrowed(space, has)
    if narrow is None:
        return
    case, projected = build(draw, space, narrow, fmt)
    if not projected:
        assert content(case) == content(build(draw, space, space, fmt)[0])


@given(question=questions(), has=capabilities())
@thorough
def test_projection_leaves_nothing_that_is_not_supported(question: Any, has: Capabilities) -> None:
    space, draw, fmt = question
    narrow = narrowed(space, has)
    if narrow is None:
        return
    case, _ = build(draw, space, narrow, fmt)
    assert set(case.options) - {"reduction"} <= has.options
    if "ignore_index" not in has.options:
        assert kept(case).all()
    assert reduction_of(case) in has.reductions
    assert shape_of(case) in has.shapes
    assert case.layout in has.layouts
    assert ("probabilities" if case.soft else "indices") in has.targets
    if not case.soft:
        assert case.target.dtype.name in has.target_dtypes


@given(question=questions(), has=capabilities())
@thorough
def test_a_case_lies_in_the_space_that_it_was_drawn_from(question: Any, has: Capabilities) -> None:
    space, draw, fmt = question
    narrow = narrowed(space, has)
    if narrow is None:
        return
    case, _ = build(draw, space, narrow, fmt)
    assert narrow.admits(case)
    assert space.admits(case)


@given(question=questions(), has=capabilities())
@thorough
def test_the_arrays_of_a_case_fit_together(question: Any, has: Capabilities) -> None:
    space, draw, fmt = question
    case, _ = build(draw, space, narrowed(space, has) or space, fmt)
    dims = case.logits.shape[: case.class_axis] + case.logits.shape[case.class_axis + 1 :]
    assert case.target.shape == (case.logits.shape if case.soft else dims)
    assert case.cotangent is not None
    assert case.cotangent.shape == (dims if reduction_of(case) == "none" else ())
    assert case.weight is None or case.weight.shape == (case.classes,)
    floats = [case.logits, case.cotangent, case.weight, case.target if case.soft else None]
    assert {a.dtype for a in floats if a is not None} == {np.dtype(fmt.dtype)}
    if case.soft:
        assert case.ignore_index is None
    else:
        labels = case.target[case.target != ignore_index_of(case)]
        assert ((labels >= 0) & (labels < case.classes)).all()


@given(question=questions())
@thorough
def test_rows_are_ignored_as_the_space_says(question: Any) -> None:
    space, draw, fmt = question
    case, _ = build(draw, space, space, fmt)
    dropped = int((~kept(case)).sum())
    if "none" not in space.ignored and case.rows > 1 and not case.soft:
        assert dropped > 0
    if "all" not in space.ignored:
        assert dropped < case.rows


def cases(space: Space, count: int = 400, **fixed: Any) -> list[Case]:
    sizes = {"rows": 4, "classes": 5} | fixed
    regimes = space.regimes
    drawn = (Draw(regime=regimes[k % len(regimes)], seed=k, **sizes) for k in range(count))
    return [build(draw, space, space, FORMATS["float32"])[0] for draw in drawn]


def test_every_value_of_every_axis_is_drawn() -> None:
    drawn = cases(EVERYTHING.but(layouts=("contiguous", "sliced"), target_dtypes=("int64", "int8")))
    hard = [case for case in drawn if not case.soft]
    assert {shape_of(case) for case in drawn} == set(EVERYTHING.shapes)
    assert {case.soft for case in drawn} == {True, False}
    assert {case.reduction for case in drawn} == set(EVERYTHING.reductions)
    assert {case.label_smoothing for case in drawn} == set(EVERYTHING.smoothings)
    assert {case.layout for case in drawn} == {"contiguous", "sliced"}
    assert {case.target.dtype.name for case in hard} == {"int64", "int8"}
    assert {case.ignore_index for case in hard} == {None, -1, 0, 4, 255, 127}
    assert {int(kept(case).sum()) for case in hard if case.rows == 4} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        ("ones", lambda w: (w == 1).all()),
        ("random", lambda w: (w > 0).all()),
        ("some-zero", lambda w: (w >= 0).all()),
        ("negative", lambda w: (w < 0).any()),
    ],
)
def test_weights_are_of_their_kind(kind: str, promise: Any) -> None:
    weights = [case.weight for case in cases(EVERYTHING.but(weights=(kind,)))]
    assert all(promise(weight) for weight in weights)
    if kind == "some-zero":
        assert any((weight == 0).any() for weight in weights if weight is not None)


def test_options_often_come_together() -> None:
    drawn = cases(EVERYTHING.but(targets=("indices",)))
    together = [
        case
        for case in drawn
        if case.weight is not None and case.label_smoothing and not kept(case).all()
    ]
    assert len(together) > len(drawn) / 5


def test_cotangents_are_not_uniform() -> None:
    cotangents = [c.cotangent for c in cases(EVERYTHING.but(reductions=("none",))) if c.rows > 2]
    assert all(np.unique(g).size > 1 and g.reshape(-1)[0] == 0 for g in cotangents)
    assert any((g < 0).any() for g in cotangents)


def test_probabilities_are_one_hot_or_sum_to_one_or_to_something_else() -> None:
    sums = np.concatenate(
        [
            case.target.sum(case.class_axis).reshape(-1)
            for case in cases(EVERYTHING.but(targets=("probabilities",)))
        ]
    )
    assert 0.3 < np.mean(np.abs(sums - 1) < 1e-5) < 0.7
    assert (sums < 0.9).any()
    assert (sums > 1.1).any()


def test_a_regime_means_the_same_for_probabilities() -> None:
    space = EVERYTHING.but(
        regimes=("gap",), targets=("probabilities",), shapes=("batched",), smoothings=(None,)
    )
    for case in cases(space, 100):
        favourite = case.target.argmax(1)
        gaps = case.logits.max(1) - case.logits[np.arange(case.rows), favourite]
        assert (gaps > 15).all()


def test_spatial_cases_have_several_samples_of_several_positions() -> None:
    shapes = {case.logits.shape for case in cases(EVERYTHING.but(shapes=("spatial",)))}
    assert any(shape[0] > 1 and np.prod(shape[2:]) > 1 for shape in shapes)
    assert {len(shape) for shape in shapes} == {3, 4, 5}
    assert any(min(shape[2:]) > 1 for shape in shapes if len(shape) == 4)  # columns are no rows


def test_a_row_that_stays_looks_like_an_ignored_one_in_eight_bits() -> None:
    space = EVERYTHING.but(
        regimes=("wide",), targets=("indices",), ignored=("some",), shapes=("batched",)
    )
    for case in cases(space, 60, classes=1025):
        alike = case.target % 256 == ignore_index_of(case) % 256
        assert alike.sum() > (case.target == ignore_index_of(case)).sum()


def test_some_weights_are_zero_where_a_row_sees_it_and_some_are_not() -> None:
    space = PLAIN.but(weights=("some-zero",), ignored=("some",))
    seen = [
        case.weight[labels] == 0
        for case in cases(space, 60, classes=10)
        if len(np.unique(labels := case.target[case.target != ignore_index_of(case)])) > 1
        and case.weight is not None
    ]
    assert len(seen) > 10
    assert all(zero.any() and not zero.all() for zero in seen)


def test_few_classes_fit_a_narrow_dtype_of_labels() -> None:
    space = EVERYTHING.but(targets=("indices",), target_dtypes=("int8",), regimes=("wide",))
    for case in cases(space, 60, classes=1025):
        labels = case.target[case.target != ignore_index_of(case)]
        assert (labels >= 0).all()
        assert case.classes <= 127


@pytest.mark.parametrize("layout", ["contiguous", "expanded"])
@pytest.mark.parametrize("kind", ["in-range", "last", "beyond"])
def test_a_regime_keeps_its_promise_beside_an_ignored_class(kind: str, layout: str) -> None:
    space = EVERYTHING.but(
        regimes=("gap",),
        targets=("indices",),
        ignored=("some",),
        ignore_indices=(kind,),
        shapes=("batched",),
        layouts=(layout,),
    )
    for case in cases(space, 100):
        x, label = case.logits[kept(case)], case.target[kept(case)]
        assert (x[np.arange(len(label)), label] < x.max(1) - 15).all()
        assert layout == "contiguous" or (case.logits == case.logits[0]).all()


@pytest.mark.parametrize("kind", ["default", "negative", "in-range", "last", "beyond"])
def test_all_but_one_leaves_exactly_one_row(kind: str) -> None:
    space = EVERYTHING.but(
        targets=("indices",), ignored=("all-but-one",), ignore_indices=(kind,), shapes=("batched",)
    )
    for case in cases(space, 100):
        assert kept(case).sum() == 1
