"""An expectation speaks of a region, a way of failing and a reason; the file is the contract."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import cell, results, witness

from conformance.errors import RecordsError, UsageError
from conformance.records.known import (
    EVERY_PROPERTY,
    FEATURES,
    Expectation,
    expectations_from,
    known_path,
    load_known,
    merge,
    over_all_properties,
    save_known,
    without_stale,
)

REASON = "exp underflows before the logarithm"


def expectation(**fields: object) -> Expectation:
    given = {"implementation": "mylib", "property": "loss-formula", "when": {}, "fails": ("wrong",)}
    return Expectation(**(given | {"reason": REASON} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "features", "inside"),
    [
        ({}, {}, True),
        ({"dtype": "float16"}, {"dtype": "float16"}, True),
        ({"dtype": "float16"}, {"dtype": "float32"}, False),
        ({"dtype": ["float16", "bfloat16"]}, {"dtype": "bfloat16"}, True),
        ({"dtype": {"!=": "float64"}}, {"dtype": "float64"}, False),
        ({"max_loss": {">": 9.7}}, {"max_loss": 9.7}, False),
        ({"max_loss": {">": 9.7}}, {"max_loss": 9.8}, True),
        ({"max_loss": {">": 9.7}}, {"max_loss": math.inf}, True),
        ({"max_loss": {">": 9.7}}, {"max_loss": math.nan}, False),
        ({"max_loss": {">": 9.7}}, {}, False),
        ({"C": {">=": 2, "<": 5}}, {"C": 5}, False),
        ({"C": {">=": 2, "<": 5}}, {"C": 2}, True),
        ({"C": [1, 32]}, {"C": 32}, True),
        ({"weight": True}, {"weight": True}, True),
        ({"weight": True}, {"weight": False}, False),
        ({"rows": 1}, {"rows": True}, False),
        ({"label_smoothing": None}, {"label_smoothing": None}, True),
        ({"label_smoothing": None}, {"label_smoothing": 0.0}, False),
        ({"label_smoothing": {"!=": None}}, {"label_smoothing": 0.0}, True),
        ({"label_smoothing": {">": 0}}, {"label_smoothing": None}, False),
        ({"label_smoothing": {">": 0, "!=": 1}}, {"label_smoothing": 1.0}, False),
        ({"dtype": "float16", "has_nan": False}, {"dtype": "float16", "has_nan": True}, False),
    ],
)
def test_a_region_is_a_conjunction_of_conditions(when, features, inside: bool) -> None:
    assert expectation(when=when).matches(features) is inside


def test_what_is_seen_before_a_case_is_device_and_dtype() -> None:
    e = expectation(when={"dtype": ["float16"], "device": "cpu", "max_loss": {">": 9}})
    assert e.concerns("loss-formula", "cpu", "float16")
    assert not e.concerns("loss-formula", "cpu", "float32")
    assert not e.concerns("loss-formula", "cuda", "float16")
    assert not e.concerns("offset", "cpu", "float16")


def test_failing_in_another_way_is_not_expected() -> None:
    assert expectation().expects("wrong")
    assert not expectation().expects("raised", "TypeError")
    assert expectation(fails=("raised",)).expects("raised", "TypeError")
    assert not expectation(fails=("raised",), exception="ValueError").expects("raised", "TypeError")


def test_failing_further_off_than_recorded_is_not_expected() -> None:
    near = expectation(bounds=2.0)
    assert near.expects("wrong", off=2.0)
    assert not near.expects("wrong", off=2.1)
    assert not near.expects("wrong")  # no number that is too far off another
    assert len(merge([near], [expectation()])) == 2


def test_passing_elsewhere_is_not_stale() -> None:
    e = expectation(versions={"torch": "2.13"}, machine="x86_64")
    assert e.seen_with({"torch": "2.13", "numpy": "2"}, "x86_64")
    assert not e.seen_with({"torch": "2.14"}, "x86_64")
    assert not e.seen_with({"torch": "2.13"}, "aarch64")
    assert not e.seen_with({}, "x86_64")


# --- Files ---------------------------------------------------------------------------------------

NUMBERS = sorted({"ignore_index", "label_smoothing", "C", "rows", "kept_rows", "ndim", "max_loss"})
number = st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
numeric = (
    number
    | st.none()
    | st.lists(number, min_size=1, max_size=3, unique_by=float)
    | st.dictionaries(st.sampled_from((">", ">=", "<", "<=", "!=")), number, min_size=1)
)
word = st.text(max_size=5)
worded = word | st.lists(word, min_size=1, unique=True) | st.fixed_dictionaries({"!=": word})
whens = st.dictionaries(st.sampled_from(NUMBERS), numeric, max_size=3) | st.fixed_dictionaries(
    {}, optional={"dtype": worded, "weight": st.booleans(), "layout": worded}
)
texts = st.text("abc ", min_size=1).map(lambda s: f"be{s}cause")
expectations = st.builds(
    Expectation,
    implementation=st.sampled_from(("a", "b")),
    property=st.sampled_from(("p", "q")),
    when=whens,
    fails=st.just(("raised",)),
    reason=texts,
    exception=st.none() | st.just("TypeError"),
    link=st.none() | st.just("https://example.org/1"),
    versions=st.dictionaries(st.just("torch"), st.just("2.13")),
    device=st.none() | st.just("cpu"),
    machine=st.none() | st.just("x86_64"),
).flatmap(
    lambda e: st.sampled_from(
        (e, replace(e, witnesses=(witness(implementation=e.implementation, property=e.property),)))
    )
)


@given(st.lists(expectations, max_size=4))
def test_a_known_file_gives_back_what_was_saved(tmp_path_factory, saved) -> None:
    path = tmp_path_factory.mktemp("known") / "mylib.known.json"
    save_known(path, saved)
    loaded = load_known(path)
    key = lambda e: json.dumps(e.to_record(), sort_keys=True)  # noqa: E731
    assert sorted(map(key, loaded)) == sorted(map(key, saved))
    assert path.exists() == bool(saved)


def test_no_file_means_nothing_is_expected_to_fail(tmp_path: Path) -> None:
    assert load_known(known_path(tmp_path / "mylib.py")) == ()
    assert known_path("x/mylib.py") == Path("x/mylib.known.json")


def entry(**fields: object) -> dict[str, object]:
    return expectation().to_record() | fields


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([entry(reason="")], "reason"),
        ([entry(reason="?")], "reason"),
        ([{k: v for k, v in entry().items() if k != "reason"}], "'reason' is a required"),
        ([entry(when={"moon": "full"})], "moon"),
        ([entry(when={"weight": 1})], "weight"),
        ([entry(when={"C": {"~": 1}})], r"when\.C"),
        ([entry(when={"dtype": []})], r"when\.dtype"),
        ([entry(fails=["badly"])], "fails"),
        ([entry(exception="TypeError")], "belongs to fails: raised"),
        ([entry(bounds=2, fails=["raised"])], "belong to fails: wrong"),
        ([entry(bounds=1)], "bounds"),
        ([entry(property="*", when={"dtype": "float32"})], "region beyond dtype"),
        ([entry(witnesses=[witness(case={})])], "witness"),
        ([entry(witnesses=[witness(implementation="other")])], "a witness of other"),
        ([entry(witnesses=[witness(property="offset")])], "a witness of mylib, offset"),
        (
            [entry(witnesses=[witness() | {"case": witness()["case"] | {"layout": "odd"}}])],
            "layout",
        ),
        ([entry(colour="red")], "colour"),
        ([5], "valid known"),
    ],
)
def test_what_is_wrong_with_a_known_file_is_said(tmp_path: Path, entries, says: str) -> None:
    path = tmp_path / "mylib.known.json"
    path.write_text(json.dumps({"schema": 1, "expectations": entries}))
    with pytest.raises(RecordsError, match=says) as caught:
        load_known(path)
    assert "mylib.known.json" in str(caught.value)


def test_the_closed_list_has_options_sizes_and_special_values() -> None:
    assert {"dtype", "device", "reduction", "weight", "C", "max_loss", "has_nan"} <= set(FEATURES)


# --- From results --------------------------------------------------------------------------------


def test_failures_of_one_way_in_several_dtypes_are_one_expectation() -> None:
    found = results(
        cell(outcome="fail", witness=witness("float32", rows=3)),
        cell(dtype="float64", outcome="fail", witness=witness("float64")),
        cell("offset", outcome="crash"),
        cell("gradient-formula"),
    )
    crash, wrong = sorted(expectations_from(found, reason=REASON, link=None), key=lambda e: e.fails)
    assert wrong.when == {"dtype": ["float32", "float64"], "device": "cpu"}
    assert wrong.witnesses == tuple(
        w | {"asked": []} for w in (witness("float32", rows=3), witness("float64"))
    )
    assert wrong.versions == {"mylib": "1.2"}
    assert wrong.machine == "x86_64"
    assert (crash.property, crash.fails, crash.witnesses) == ("offset", ("crash",), ())


@pytest.mark.parametrize("exception", ["RuntimeError", "std::out_of_range"])
def test_an_exception_is_recorded_by_its_type(exception: str) -> None:
    for got in (exception, f"{exception}: not implemented: 'Half'"):
        raised = witness(kind="raised", got=got)
        found = results(cell(outcome="fail", witness=raised))
        (e,) = expectations_from(found, reason=REASON, link=None)
        assert (e.fails, e.exception) == (("raised",), exception)


def test_what_is_no_unexpected_failure_gives_no_expectation() -> None:
    found = results(
        cell(),
        cell("gradient-formula", outcome="fail", expectation="known", reason="x"),
        cell("offset", expectation="stale", reason="x"),
        cell("empty-mean", outcome="error"),
        cell(dtype="float64", outcome="vacuous"),
    )
    assert expectations_from(found, reason=REASON, link=None) == []


def test_a_reason_is_mandatory() -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        expectations_from(results(), reason="  ", link=None)


def test_adding_twice_adds_once() -> None:
    new = expectations_from(results(cell(outcome="fail")), reason=REASON, link=None)
    assert merge(new, new) == new


def test_what_fails_for_the_regions_sake_is_one_expectation_over_all_properties() -> None:
    found = results(
        cell(outcome="fail", witness=witness("float32")),
        cell("offset", dtype="float64", outcome="fail", witness=witness("float64", kind="raised")),
    )
    region = {"max_loss": {">": 9}}
    new = expectations_from(found, reason=REASON, link=None, region=region)
    (e,) = over_all_properties(new)
    assert (e.property, e.fails) == (EVERY_PROPERTY, ("raised", "wrong"))
    assert e.when == {"dtype": ["float32", "float64"], "device": "cpu", **region}
    assert e.concerns("anything", "cpu", "float32")
    assert not e.concerns("anything", "cpu", "float16")
    assert [w["dtype"] for w in e.witnesses] == ["float32", "float64"]
    assert merge([e], [e]) == [e]


def test_a_witness_is_replayed_in_its_own_cell_alone() -> None:
    seen = witness("float32")
    e = expectation(property="*", when={"max_loss": {">": 9}}, witnesses=(seen,))
    assert e.witness_for(seen["property"], "float32") == seen
    assert e.witness_for(seen["property"], "float64") is None
    assert e.witness_for("offset", "float32") is None


def test_a_stale_dtype_goes_and_the_rest_of_the_expectation_stays() -> None:
    e = expectation(
        when={"dtype": ["float32", "float64"], "device": "cpu"}, witnesses=(witness("float64"),)
    )
    elsewhere = expectation(implementation="other")
    found = results(cell(dtype="float64", expectation="stale", reason=REASON))
    kept, gone = without_stale([e, elsewhere], found)
    assert gone == 1
    assert [k.when for k in kept] == [{"dtype": ["float32"], "device": "cpu"}, {}]
    assert kept[0].witnesses == ()
    assert without_stale([e, elsewhere], results(cell())) == ([e, elsewhere], 0)


def test_an_expectation_whose_last_dtype_is_stale_goes() -> None:
    found = results(cell(expectation="stale", reason=REASON))
    assert without_stale([expectation(when={"dtype": ["float32"]})], found) == ([], 1)
    assert without_stale([expectation()], found) == ([], 1)


def test_of_two_expectations_the_one_with_another_reason_stays() -> None:
    other = expectation(reason="something else altogether")
    found = results(cell(expectation="stale", reason=REASON))
    assert without_stale([expectation(), other], found) == ([other], 1)
