"""Transformations of cases are exact, and undone exactly."""

from __future__ import annotations

import numpy as np
from drawn import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.cases.case import Case
from conformance.cases.space import EVERYTHING
from conformance.properties.transform import (
    alone,
    batch_axes,
    coarse,
    exact_shift,
    first_class,
    flattened,
    ignore_index_of,
    in_two,
    kept,
    normalised,
    one_hot,
    other_targets,
    permute_classes,
    rising_target,
    rng_of,
    rows_of,
    take_rows,
    without_rows,
)
from conformance.properties.truth import Truth, reduction_of

often = settings(max_examples=200, deadline=None)
EXACT = EVERYTHING.but(ignored=("none", "some"))


def placed(rows: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Rows (M, C) back in the shape of logits."""
    axis = min(1, like.ndim - 1)
    dims = (*like.shape[:axis], *like.shape[axis + 1 :], like.shape[axis])
    return np.moveaxis(rows.reshape(dims), -1, axis)


@given(case=cases())
@often
def test_rows_can_be_put_back(case: Case):
    back = placed(rows_of(case.logits, case.class_axis), case.logits)
    assert back.tobytes() == case.logits.tobytes()


@given(case=cases())
@often
def test_flattening_keeps_every_row_its_target_and_its_cotangent(case: Case):
    flat = flattened(case)
    assert flat.logits.shape == (case.rows, case.classes)
    assert placed(flat.logits, case.logits).tobytes() == case.logits.tobytes()
    if case.soft:
        assert placed(flat.target, case.logits).tobytes() == case.target.tobytes()
    else:
        assert flat.target.tobytes() == case.target.tobytes()
    assert flat.cotangent.tobytes() == case.cotangent.tobytes()
    assert flattened(flat).key == flat.key


@given(case=cases())
@often
def test_flattening_does_not_change_the_answer(case: Case):
    truth = Truth()
    whole, flat = truth.solution(case), truth.solution(flattened(case))
    assert np.array_equal(whole.loss.hi.ravel(), flat.loss.hi.ravel(), equal_nan=True)


@given(case=cases())
@often
def test_permuted_classes_can_be_put_back(case: Case):
    order = rng_of(case).permutation(case.classes)
    there = permute_classes(case, order)
    back = permute_classes(there, np.argsort(order))
    assert back.key == case.key


@given(case=cases())
@often
def test_a_permutation_moves_logit_weight_and_target_of_a_class_together(case: Case):
    order = rng_of(case).permutation(case.classes)
    moved = permute_classes(case, order)
    for new, old in enumerate(order):
        take = [np.take(c.logits, k, c.class_axis) for c, k in ((moved, new), (case, old))]
        assert take[0].tobytes() == take[1].tobytes()
        if case.weight is not None:
            assert moved.weight[new] == case.weight[old]
        if not case.soft:
            assert np.array_equal(moved.target == new, case.target == old)
    assert np.array_equal(kept(moved), kept(case))


@given(case=cases(EVERYTHING.but(targets=("indices",))))
@often
def test_rows_of_two_parts_are_all_rows(case: Case):
    keep = kept(case)
    first, second = take_rows(case, keep), take_rows(case, ~keep)
    assert first.rows + second.rows == case.rows
    assert (first.target != ignore_index_of(case)).all()
    assert (second.target == ignore_index_of(case)).all()
    flat = flattened(case)
    together = np.empty_like(flat.logits)
    together[keep], together[~keep] = first.logits, second.logits
    assert together.tobytes() == flat.logits.tobytes()


@given(case=cases(EVERYTHING.but(shapes=("batched", "spatial"))), data=st.data())
@often
def test_reordered_rows_can_be_put_back(case: Case, data: st.DataObject):
    order = np.array(data.draw(st.permutations(range(case.rows))))
    back = take_rows(take_rows(case, order), np.argsort(order))
    assert back.key == flattened(case).key


@given(case=cases(EVERYTHING.but(targets=("indices",), ignored=("none",))))
@often
def test_a_one_hot_row_has_its_one_at_the_label(case: Case):
    hot = one_hot(case)
    assert hot.soft
    assert hot.target.dtype == case.logits.dtype
    assert (hot.target.astype(np.float64).sum(1) == 1).all()
    assert np.array_equal(np.argmax(hot.target.astype(np.float64), 1), case.target.ravel())


@given(case=cases(EVERYTHING.but(weights=("none",), reductions=("none", "sum"))))
@often
def test_a_shift_is_exact(case: Case):
    shifted = exact_shift(case)
    if shifted is None:
        return
    difference = case.logits.astype(np.float64) - shifted.logits.astype(np.float64)
    assert np.unique(difference).size == 1
    assert difference.flat[0] != 0


def test_a_common_offset_is_shifted_away():
    logits = np.array([[-8191.0, -8192.0], [-8190.0, -8191.0]], np.float32)
    case = Case(logits=logits, target=np.array([0, 1]))
    shifted = exact_shift(case)
    assert shifted is not None
    assert np.abs(shifted.logits).max() <= 2


def test_what_a_shift_would_round_is_not_shifted():
    assert exact_shift(Case(logits=np.array([[1.0, 1e-30]]), target=np.array([0]))) is None
    assert exact_shift(Case(logits=np.array([[0.0, 0.0]]), target=np.array([0]))) is None
    assert exact_shift(Case(logits=np.array([[1.0, -np.inf]]), target=np.array([0]))) is None


@given(case=cases())
@often
def test_random_numbers_are_a_function_of_the_case(case: Case):
    assert rng_of(case).integers(2**40) == rng_of(case.but()).integers(2**40)


def test_legacy_arguments_win_over_the_default():
    case = Case(logits=np.zeros((2, 2)), target=np.array([0, 1]))
    assert reduction_of(case) == "mean"
    assert reduction_of(case.but(size_average=False)) == "sum"
    assert reduction_of(case.but(size_average=False, reduce=False)) == "none"


@given(case=cases())
@often
def test_one_row_alone_keeps_its_axes(case: Case):
    one = alone(case)
    assert one.logits.ndim == case.logits.ndim
    assert one.rows == 1
    assert take_rows(one, np.arange(1)).key == take_rows(case, np.arange(1)).key


@given(case=cases(EVERYTHING.but(shapes=("batched", "spatial"))))
@often
def test_without_rows_only_one_axis_is_empty(case: Case):
    empty = without_rows(case)
    assert [n for n in empty.logits.shape if n == 0] == [0]
    assert empty.rows == 0
    assert empty.classes == case.classes
    Truth().solution(empty)  # the arrays fit together


def test_any_batch_axis_may_be_the_empty_one():
    spatial = Case(logits=np.zeros((2, 3, 1, 4)), target=np.zeros((2, 1, 4), int))
    assert batch_axes(spatial) == [0, 2, 3]
    shapes = {without_rows(spatial.but(logits=spatial.logits + k)).logits.shape for k in range(40)}
    assert shapes == {(0, 3, 1, 4), (2, 3, 0, 4), (2, 3, 1, 0)}


@given(case=cases(EVERYTHING.but(ignore_indices=("default", "beyond"))))
@often
def test_the_first_class_alone_has_nothing_to_lose(case: Case):
    single = first_class(case)
    assert single.classes == 1
    assert np.array_equal(kept(single), kept(case))
    none = single.but(reduction="none", cotangent=None)
    assert not Truth().solution(none).loss.hi.any()


@given(case=cases(EVERYTHING.but(targets=("indices",))))
@often
def test_other_targets_are_others_and_ignore_the_same_rows(case: Case):
    other = other_targets(case)
    assert np.array_equal(kept(other), kept(case))
    usable = case.classes - (0 <= ignore_index_of(case) < case.classes)
    moved = other.target.reshape(-1)[kept(case)] != case.target.reshape(-1)[kept(case)]
    assert moved.all() if usable > 1 else not moved.any()


def test_a_target_rises_above_the_other_classes():
    case = Case(logits=np.array([[5.0, 1.0, 4.0]]), target=np.array([1]), reduction="none")
    rising = rising_target(case, (-1.0, 0.0, 2.0))
    assert rising.logits.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [-2.0, 0.0, -3.0]]
    assert rising.target.tolist() == [1, 1, 1]


@given(case=cases(EVERYTHING.but(regimes=("typical", "subnormal", "large", "confident-wrong"))))
@often
def test_coarse_logits_have_an_exact_middle(case: Case):
    x = coarse(case).logits.astype(np.float64)
    middle = x / 2 + np.roll(x, 1, case.class_axis) / 2
    assert np.array_equal(middle.astype(case.logits.dtype).astype(np.float64), middle)


@given(case=cases(EVERYTHING.but(targets=("probabilities",))))
@often
def test_probabilities_sum_to_one_exactly_in_every_format(case: Case):
    q = normalised(case).target
    assert q.dtype == case.target.dtype
    assert (q.astype(np.float64) >= 0).all()
    assert (q.astype(np.float64).sum(case.class_axis) == 1).all()
    largest = case.target.astype(np.float64).argmax(case.class_axis, keepdims=True)
    assert (np.take_along_axis(q, largest, case.class_axis) > 0).all()


def test_what_rounding_leaves_goes_to_the_largest_probability():
    third = np.array([[1, 1, 1], [0, 0, 0], [0, 2, 2]], np.float16)
    right = np.array([[22, 21, 21], [64, 0, 0], [0, 32, 32]]) / 64
    assert np.array_equal(normalised(Case(logits=third, target=third)).target, right)


def test_class_indices_are_not_normalised():
    case = Case(logits=np.zeros((2, 3), np.float32), target=np.array([0, 1]))
    assert normalised(case) is case


@given(case=cases(EVERYTHING.but(targets=("probabilities",))))
@often
def test_probabilities_in_two_add_up_exactly(case: Case):
    one, rest = (q.astype(np.float64) for q in in_two(case.target, case.class_axis))
    assert np.array_equal(one / 2 + rest, case.target.astype(np.float64))
    assert (rest >= case.target.astype(np.float64) / 2).all()
