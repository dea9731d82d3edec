"""A layout changes where the values lie, never what they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conformance.cases.case import Case
from conformance.cases.layouts import LAYOUTS, lay_out
from conformance.spec.formats import FORMATS

DTYPES = [fmt.dtype for fmt in FORMATS.values()] + [np.dtype("int64"), np.dtype("uint8")]


@st.composite
def arrays(draw, min_dims=0):
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=4, min_side=1, max_side=4))
    dtype = draw(st.sampled_from(DTYPES))
    values = draw(hnp.arrays(np.int8, shape, elements=st.integers(0, 100)))
    return values.astype(dtype)


@given(array=arrays(), layout=st.sampled_from(LAYOUTS))
@settings(max_examples=300, deadline=None)
def test_the_values_stay_the_same(array, layout):
    laid = lay_out(array, layout)
    assert laid.dtype == array.dtype
    assert laid.shape == array.shape
    assert laid.tobytes() == array.tobytes()


@given(array=arrays(), layout=st.sampled_from([name for name in LAYOUTS if name != "expanded"]))
@settings(max_examples=200, deadline=None)
def test_the_memory_is_fresh(array, layout):
    assert not np.shares_memory(lay_out(array, layout), array)


def sample(shape=(3, 4)):
    return np.arange(1, 1 + np.prod(shape)).reshape(shape).astype(np.float32)


def test_contiguous_is_c_contiguous():
    laid = lay_out(np.asfortranarray(sample()), "contiguous")
    assert laid.flags.c_contiguous
    assert laid.flags.writeable


def test_fortran_is_column_major():
    laid = lay_out(sample(), "fortran")
    assert laid.flags.f_contiguous
    assert not laid.flags.c_contiguous


def test_sliced_has_gaps_along_every_axis_and_poison_in_them():
    laid = lay_out(sample(), "sliced")
    assert laid.strides == (2 * 2 * 4 * 4, 2 * 4)
    buffer = laid.base
    assert buffer.shape == (6, 8)
    assert np.isnan(buffer).sum() == buffer.size - laid.size


def test_the_poison_of_integers_is_a_valid_class():
    laid = lay_out(np.array([3, 5, 7]), "sliced")
    assert laid.base.tolist() == [3, 1, 5, 1, 7, 1]


def test_expanded_has_a_stride_of_zero_where_all_rows_are_equal():
    equal = np.tile(sample((1, 4)), (3, 1))
    assert lay_out(equal, "expanded").strides[0] == 0
    assert lay_out(sample(), "expanded").strides[0] != 0


def test_reversed_has_negative_strides():
    assert all(stride < 0 for stride in lay_out(sample(), "reversed").strides)


def test_read_only_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        lay_out(sample(), "read-only")[0, 0] = 1


def test_an_unknown_layout_is_named():
    with pytest.raises(ValueError, match=r"'diagonal'.*contiguous"):
        lay_out(sample(), "diagonal")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_call_gets_its_own_arrays_in_the_layout_of_the_case(layout):
    case = Case(
        logits=np.tile(sample((1, 4)), (3, 1)),
        target=np.array([0, 0, 0]),
        weight=sample((4,)),
        layout=layout,
    )
    first, second = case.arguments(), case.arguments()
    assert not np.shares_memory(first[0], second[0])
    assert first[0].strides == lay_out(case.logits, layout).strides
    assert first[1].strides == lay_out(case.target, layout).strides
    assert first[2]["weight"].strides == lay_out(case.weight, layout).strides
