"""A results file is complete, truncated or an error with a name: never more than it is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import cell, footer, header, implementation, property_entry, witness, write_lines

from conformance.errors import RecordsError
from conformance.records.results import (
    FAILURES,
    blank_cell,
    cell_id,
    is_unexpected,
    new_run,
    read_results,
)
from conformance.records.schema import Draft202012Validator, schema, to_json

CELLS = (
    cell(),
    cell("gradient-formula", outcome="fail", witness=witness(property="gradient-formula")),
    cell("offset", outcome="fail", expectation="known", reason="TF sums in bfloat16"),
    cell("empty-mean", label="nan"),
    *(cell(slug, dtype="float64") for slug in ("gradient-formula", "offset", "empty-mean")),
    cell(dtype="float64", worst={"ratio": 0.5, "ulp": float("inf"), "regime": "typical"}),
)
CURVE = {
    "kind": "curve",
    "implementation": "mylib",
    "device": "cpu",
    "dtype": "float32",
    "points": [{"exact": 12.0, "fused": "inf", "chain": None}],
}


def whole() -> list[object]:
    return [header("mylib"), *CELLS, CURVE, footer(*CELLS)]


def test_the_published_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_every_object_of_the_schema_is_closed() -> None:
    def open_objects(node: object, path: str = "") -> list[str]:
        if isinstance(node, list):
            return [p for n, item in enumerate(node) for p in open_objects(item, f"{path}/{n}")]
        if not isinstance(node, dict):
            return []
        found = (
            [path] if node.get("type") == "object" and "additionalProperties" not in node else []
        )
        return found + [p for k, v in node.items() for p in open_objects(v, f"{path}/{k}")]

    assert open_objects(schema()) == []


def test_a_whole_file_is_complete(tmp_path: Path) -> None:
    results = read_results(write_lines(tmp_path / "r.jsonl", *whole()), strict=True)
    assert results.complete
    assert [c["id"] for c in results.cells] == [c["id"] for c in CELLS]
    assert results.cells[-1]["worst"] == {"ratio": 0.5, "ulp": "inf", "regime": "typical"}
    assert results.curves == (CURVE,)


@pytest.mark.parametrize("lines", range(1, len(whole())))
def test_a_file_without_its_footer_is_valid_but_not_complete(tmp_path: Path, lines: int) -> None:
    path = write_lines(tmp_path / "r.jsonl", *whole()[:lines])
    assert not read_results(path).complete
    with pytest.raises(RecordsError, match=r"r\.jsonl: truncated: no footer"):
        read_results(path, strict=True)


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "r.jsonl", *whole()[:3])
    path.write_text(path.read_text() + to_json(CELLS[2])[:50])
    results = read_results(path)
    assert not results.complete
    assert len(results.cells) == 2


def test_a_missing_final_newline_harms_nobody(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "r.jsonl", *whole())
    path.write_text(path.read_text().rstrip("\n"))
    assert read_results(path).complete


def broken(**changes: object) -> dict[str, object]:
    return cell() | changes


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([CELLS[0]], "line 1: not a valid header"),
        ([header("mylib", schema=2), footer()], "line 1: written in schema version 2.*newer"),
        ([header("mylib", schema="1"), footer()], "line 1: not a valid header"),
        ([header("mylib", colour="red")], "line 1: .*colour"),
        ([header("mylib", "mylib")], "line 1: implementation 'mylib' is listed twice"),
        ([header("mylib\n")], "line 1: .*does not match"),
        ([header("my\x9blib")], "line 1: .*does not match"),
        ([header("my\u202elib")], "line 1: .*does not match"),
        ([header(properties=[property_entry()] * 2)], "property 'loss-formula' is listed twice"),
        ([header(implementations=[implementation() | {"name": "a b"}])], "line 1"),
        ([header("mylib"), header("mylib")], "line 2: expected a cell.*'header'"),
        ([header("mylib"), 5], "line 2: expected a cell"),
        ([header("mylib"), []], "line 2: expected a cell"),
        ([header("mylib"), broken(outcome="great")], r"line 2: .*great.*at \$\.outcome"),
        ([header("mylib"), broken(seconds=-1)], r"at \$\.seconds"),
        ([header("mylib"), broken(corpus="ppx")], r"at \$\.corpus"),
        ([header("mylib"), broken(link="javascript:alert(1)")], r"at \$\.link"),
        ([header("mylib"), broken(witness=witness(kind="odd"))], r"at \$\.witness\.kind"),
        ([header("mylib"), broken(worst={"ratio": -1, "ulp": 0, "regime": "a"})], "worst"),
        ([header("mylib"), broken(id="mylib/cpu/float64/loss-formula")], "does not say"),
        ([header("mylib"), broken(level="should")], "is should here and must in the header"),
        ([header("mylib"), cell(implementation="other")], "'other' is not in the header"),
        ([header("mylib"), CURVE | {"implementation": "other"}], "'other' is not in the header"),
        (
            [header("mylib"), blank_cell("mylib", "cpu", "float32", "new", "must")],
            "'new' is not in",
        ),
        ([header("mylib"), cell(), cell()], "line 3: a second cell mylib/cpu/float32/loss-formula"),
        ([header("mylib"), CURVE, CURVE], "line 3: a second curve"),
        ([header(), footer(), cell()], "line 3: a record after the footer"),
        ([header(), footer(), footer()], "line 3: a record after the footer"),
        ([header("mylib"), cell(), footer()], "the footer says cells 0, the file has 1"),
        ([header("mylib"), cell(), footer(cell(), unexpected=1)], "says unexpected 1.*has 0"),
        ([header("mylib"), cell(), footer(cell(outcome="fail"), unexpected=0)], "outcomes"),
        ([header("mylib"), footer(complete=False)], "line 2: not a valid footer"),
        ([header("mylib"), footer()], "complete, says the footer, and yet mylib has no cell"),
        ([header("mylib"), cell(), footer(cell())], "1 cells in float32 on cpu, of 4 properties"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, records: list[object], says: str
) -> None:
    with pytest.raises(RecordsError, match=says) as caught:
        read_results(write_lines(tmp_path / "r.jsonl", *records))
    assert "r.jsonl" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"hello\n", "line 1: not JSON"),
        (b"\xff\xfe\n", "not UTF-8"),
        (b'{"kind": "header", "seed": NaN}\n', "line 1: not JSON: NaN"),
        (b'{"kind": "header", "seed": 1e999}\n', "line 1: not JSON: 1e999"),
        (b"[" * 100_000 + b"\n", "line 1: not JSON"),
        (b"1" * 5000 + b"\n", "line 1: not JSON"),
    ],
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordsError, match=says):
        read_results(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="no such file"):
        read_results(tmp_path / "r.jsonl")
    with pytest.raises(RecordsError, match="cannot be read"):
        read_results(tmp_path)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_mutated_file_is_never_more_than_it_is(tmp_path_factory, seed: int, times: int) -> None:
    """Bytes changed, dropped, repeated, lines swapped: the same cells, or less, or an error."""
    path = tmp_path_factory.mktemp("mutated") / "r.jsonl"
    content = write_lines(path, *whole()).read_bytes()
    rng = random.Random(seed)
    for _ in range(times):
        content = mutate(content, rng)
    path.write_bytes(content)
    try:
        results = read_results(path)
    except RecordsError:
        return
    if results.complete:
        assert len(results.cells) == len(CELLS)
        assert sum(map(is_unexpected, results.cells)) == 1


def mutate(content: bytes, rng: random.Random) -> bytes:
    at, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    lines = content.split(b"\n")
    line = rng.randrange(len(lines))
    return rng.choice(
        (
            lambda: content[:at],
            lambda: content[at:] or b"x",
            lambda: content[:at] + content[end:] or b"x",
            lambda: content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :],
            lambda: content[:end] + content[at:],
            lambda: b"\n".join(lines[:line] + lines[line + 1 :]) or b"x",
            lambda: b"\n".join([*lines[:line], lines[line], *lines[line:]]),
        )
    )()


@pytest.mark.parametrize("outcome", FAILURES)
def test_a_failure_is_unexpected_unless_known(outcome: str) -> None:
    assert is_unexpected(cell(outcome=outcome))
    assert is_unexpected(cell("offset", outcome=outcome))
    assert not is_unexpected(cell(outcome=outcome, expectation="known"))
    # A behaviour has no wrong answer, but a crash is one at every level.
    assert is_unexpected(cell("empty-mean", outcome=outcome)) == (outcome != "fail")
    assert is_unexpected(cell("offset", outcome=outcome), ("must",)) == (outcome != "fail")


@pytest.mark.parametrize("outcome", ["pass", "unsupported", "not-run"])
def test_only_a_stale_expectation_makes_no_failure_unexpected(outcome: str) -> None:
    assert not is_unexpected(cell(outcome=outcome))
    assert is_unexpected(cell(outcome=outcome, expectation="stale"))


def test_ids_are_stable_and_runs_are_new() -> None:
    assert cell_id("a", "cpu", "float32", "b") == "a/cpu/float32/b"
    assert new_run() != new_run()
