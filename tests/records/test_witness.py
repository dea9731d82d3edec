"""A witness is its case, bit for bit, or a RecordsError."""

from __future__ import annotations

import contextlib
import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import case, cases, witness

from conformance.cases.case import Case
from conformance.errors import RecordsError
from conformance.records.schema import to_json
from conformance.records.witness import (
    SIZE_LIMIT,
    check_witness,
    decode_array,
    decode_case,
    encode_array,
    encode_case,
    read_witness,
)


def content(case: Case) -> tuple[object, ...]:
    """The key, with NaN smoothing equal to itself."""
    return tuple("nan" if isinstance(x, float) and math.isnan(x) else x for x in case.key)


def no_stray_bools(case: Case) -> Case:
    """A bool is 0 or 1: arbitrary bytes are no bools."""
    if case.target.dtype != np.bool_:
        return case
    return case.but(target=case.target.view(np.uint8) % 2 == 1)


@given(cases.map(no_stray_bools))
def test_a_case_survives_json_bit_for_bit(case: Case) -> None:
    decoded = decode_case(json.loads(to_json(encode_case(case))))
    assert content(decoded) == content(case)
    assert decoded.regime == case.regime


def test_a_nan_keeps_its_payload() -> None:
    bits = np.array([[0x7FC00123, 0xFF800001]], np.uint32)
    decoded = decode_case(encode_case(Case(bits.view(np.float32), np.zeros(1, np.int64))))
    assert decoded.logits.tobytes() == bits.tobytes()


def test_other_strides_and_byte_orders_are_stored_as_values() -> None:
    logits = np.arange(12, dtype=">f4").reshape(3, 4).T[::-1]
    decoded = decode_case(encode_case(Case(logits, np.zeros(4, np.int64))))
    assert np.array_equal(decoded.logits, logits)
    assert decoded.logits.dtype == np.dtype("<f4")
    assert decoded.logits.flags.c_contiguous
    assert decoded.logits.flags.writeable


def test_a_case_beyond_the_size_limit_is_refused_and_its_shape_told() -> None:
    rows = SIZE_LIMIT // 8 // 1000 + 1
    with pytest.raises(RecordsError, match=rf"too large .* \({rows}, 1000\)"):
        encode_case(case("float64", rows, 1000))


def test_an_array_without_a_place_in_the_schema_is_refused() -> None:
    with pytest.raises(RecordsError, match="complex128"):
        encode_array(np.zeros(1, complex))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("dtype", "float31", "float31"),
        ("dtype", "object", "object"),
        ("shape", [1, 4], "takes 16 bytes, data has 12"),
        ("shape", [1, 2], "takes 8 bytes, data has 12"),
        ("shape", [2**40, 2**40], "beyond"),
        ("shape", [0, 2**50], "beyond"),
        ("shape", [-1, -3], "minimum"),
        ("shape", [1, 3.5], "integer"),
        ("shape", "abc", "array"),
        ("shape", [1] * 33, "too long"),
        ("data", "!!!!", "base64"),
        ("data", "AAAAAAAAAAAAAAA", "base64"),
        ("data", "", "data has 0"),
        ("data", "ÄÖ", "base64"),
    ],
)
def test_a_malformed_array_is_an_error_that_names_it(field: str, value: object, says: str) -> None:
    mapping = encode_case(case())
    mapping["logits"][field] = value
    with pytest.raises(RecordsError, match=says) as caught:
        decode_case(mapping)
    assert "logits" in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layout", "diagonal"),
        ("layout", None),
        ("ignore_index", 2**63),
        ("ignore_index", True),
        ("label_smoothing", "a lot"),
        ("reduce", "yes"),
        ("logits", None),
        ("target", [1, 2]),
        ("regime", ""),
        ("colour", "red"),
    ],
)
def test_a_malformed_field_is_an_error(field: str, value: object) -> None:
    with pytest.raises(RecordsError):
        decode_case(encode_case(case()) | {field: value})


@pytest.mark.parametrize("field", sorted(encode_case(case())))
def test_a_missing_field_is_an_error_that_names_it(field: str) -> None:
    mapping = encode_case(case())
    del mapping[field]
    with pytest.raises(RecordsError, match=field):
        decode_case(mapping)


def test_a_bool_of_other_bits_is_refused() -> None:
    mapping = encode_case(Case(np.zeros((1, 3), np.float32), np.zeros(1, bool)))
    mapping["target"]["data"] = "Ag=="
    with pytest.raises(RecordsError, match="bool"):
        decode_case(mapping)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)


@given(st.data(), junk)
def test_a_witness_with_any_value_replaced_decodes_or_is_a_records_error(
    data: st.DataObject, value: object
) -> None:
    mapping: object = copy.deepcopy(witness())
    place = mapping
    while isinstance(place, dict):
        inner = place
        key = data.draw(st.sampled_from(sorted(inner)))
        place = inner[key]
        if not isinstance(place, dict) or data.draw(st.booleans()):
            inner[key] = value
            break
    with contextlib.suppress(RecordsError):
        check_witness(mapping)


def test_a_witness_file_is_read_and_a_broken_one_names_the_file(tmp_path) -> None:
    path = tmp_path / "witness.json"
    path.write_text(to_json(witness()))
    assert read_witness(path) == witness()
    path.write_text(to_json(witness())[:-9])
    with pytest.raises(RecordsError, match=r"witness\.json: not JSON"):
        read_witness(path)
    path.write_text("[]")
    with pytest.raises(RecordsError, match="not a valid witness"):
        read_witness(path)
    with pytest.raises(RecordsError, match="no such file"):
        read_witness(tmp_path / "other.json")


def test_the_cases_that_were_asked_must_decode_too() -> None:
    whole = encode_case(case())
    asked = [{"question": "loss", "case": None}, {"question": "gradient", "case": whole}]
    assert check_witness(witness(asked=asked))["asked"] == asked
    with pytest.raises(RecordsError, match="diagonal"):
        check_witness(witness(asked=[{"question": "loss", "case": whole | {"layout": "diagonal"}}]))


def test_a_witness_of_a_newer_schema_is_refused_as_such() -> None:
    with pytest.raises(RecordsError, match="schema version 2"):
        check_witness(witness(schema=2))


def test_a_large_array_is_compressed_and_comes_back_bit_for_bit() -> None:
    array = np.tile(np.array([[1.5, -2.0, 0.25]], np.float16), (30_000, 1))
    record = encode_array(array)
    assert len(record["data"]) < array.nbytes / 100
    assert np.array_equal(decode_array(record, "logits"), array)


def test_compressed_data_cannot_grow_beyond_its_shape() -> None:
    bomb = encode_array(np.zeros(200_000, np.float32)) | {"shape": [3]}
    with pytest.raises(RecordsError, match="takes 12 bytes, data has 13"):
        decode_array(bomb, "logits")
    broken = encode_array(np.zeros(200_000, np.float32)) | {"data": "AAAA"}
    with pytest.raises(RecordsError, match="not zlib"):
        decode_array(broken, "logits")
