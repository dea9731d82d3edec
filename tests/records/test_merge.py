"""The shards of a run, and runs on several machines, become one file, which says nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from samples import CAPABILITIES, cell, footer, header, implementation, property_entry, write_lines

from conformance.cli import main
from conformance.errors import RecordsError
from conformance.records.merge import Merged
from conformance.records.merge import merge as merge_parts
from conformance.records.results import Results, read_results
from conformance.records.schema import check

SLUGS = ("loss-formula", "gradient-formula", "offset", "empty-mean")
CELLS = tuple(
    cell(slug, implementation=name, dtype=dtype)
    for name in ("mylib", "other")
    for dtype in ("float64", "float32")
    for slug in SLUGS
)


def curve(name: str = "mylib", dtype: str = "float64") -> Any:
    point = {"exact": 1.5, "fused": "nan", "chain": None}
    where = {"implementation": name, "device": "cpu", "dtype": dtype}
    return {"kind": "curve", **where, "points": [point]}


CURVES = (curve(), curve(dtype="float32"), curve("other"))


def part(*cells: Any, curves: tuple[Any, ...] = (), seconds: float = 1.0, **fields: Any) -> Results:
    about = header("mylib", "other", **fields)
    return Results(about, cells, curves, footer(*cells, seconds=seconds))


def shard(number: int, of: int, *cells: Any, **fields: Any) -> Results:
    run = f"2026-01-02T03:04:0{number}Z-ab12cd"
    return part(*cells, shard=f"{number}/{of}", run=run, started=run[:20], **fields)


def merge(*parts: Results, allow_truncated: bool = False) -> Merged:
    """The parts, by the names A, B and so on."""
    named = [("ABCDEFGHIJ"[n], part) for n, part in enumerate(parts)]
    merged = merge_parts(named, allow_truncated=allow_truncated)
    check("header", json.loads(json.dumps(merged.results.header)), "header")
    return merged


def truncated(results: Results) -> Results:
    return Results(results.header, results.cells, results.curves)


@given(st.data())
def test_the_shards_of_a_run_are_the_run(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    place = st.integers(1, count)
    cells = [(data.draw(place), c) for c in data.draw(st.permutations(CELLS))]
    curves = [(data.draw(place), c) for c in data.draw(st.permutations(CURVES))]
    shards = [
        shard(
            number,
            count,
            *(c for n, c in cells if n == number),
            curves=tuple(c for n, c in curves if n == number),
        )
        for number in data.draw(st.permutations(range(1, count + 1)))
    ]
    merged = merge(*shards)
    whole = merged.results
    assert (whole.cells, whole.curves) == (CELLS, CURVES)
    assert merged.lacking == ()
    assert whole.footer == footer(*CELLS, seconds=float(count))
    assert whole.header.get("shard") is None
    assert whole.header["started"] == "2026-01-02T03:04:01Z"
    assert [p["shard"] for p in whole.header["parts"]] == [
        f"{number}/{count}" for number in range(1, count + 1)
    ]


def test_a_merged_file_is_a_part_like_any_other() -> None:
    half = merge(shard(1, 2, *CELLS[:5]), shard(2, 2, *CELLS[5:])).results
    elsewhere = part(
        *(c | {"device": "cuda", "id": c["id"].replace("/cpu/", "/cuda/")} for c in CELLS),
        host=header()["host"] | {"machine": "arm64"},
        packages={"numpy": "2.5", "torch": "2.13"},
    )
    whole = merge(half, elsewhere).results
    assert len(whole.cells) == 2 * len(CELLS)
    assert whole.complete
    assert whole.header["packages"] == {"numpy": "2.4", "torch": "2.13"}
    assert [p["host"]["machine"] for p in whole.header["parts"]] == ["x86_64", "x86_64", "arm64"]
    assert whole.header["parts"][2]["packages"]["numpy"] == "2.5"


def test_parts_with_other_implementations_and_dtypes_are_one_run() -> None:
    mine, other = (
        Results(header(name), tuple(c for c in CELLS if c["implementation"] == name), (), FOOTER)
        for name in ("mylib", "other")
    )
    assert merge(other, mine).results.header["implementations"][0]["name"] == "other"
    assert merge(mine, other).results.cells == CELLS


@pytest.mark.parametrize("shards", [False, True])
def test_environments_of_their_own_may_have_profiles_of_their_own(shards: bool) -> None:
    fields = [{"shard": f"{n}/2"} if shards else {} for n in (1, 2)]
    mine = Results(header("mylib", profile="standard", **fields[0]), CELLS[:8], (), FOOTER)
    other = Results(header("other", packages={"numpy": "1.23"}, **fields[1]), CELLS[8:], (), FOOTER)
    if shards:
        with pytest.raises(RecordsError, match="not of one run: profile"):
            merge(mine, other)
        return
    whole = merge(mine, other).results.header
    assert whole["profile"] == "quick+standard"
    parts = [(p["profile"], p["implementations"], p["packages"]["numpy"]) for p in whole["parts"]]
    assert parts == [("standard", ["mylib"], "2.4"), ("quick", ["other"], "1.23")]


FOOTER: Any = footer()


def test_a_cell_that_was_judged_twice_alike_is_there_once() -> None:
    again = [c | {"seconds": 2.0} for c in CELLS]
    assert merge(part(*CELLS), part(*again)).results.cells == CELLS


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((part(), part(profile="deep")), r"A and B are not of one run: profile \(quick and deep\)"),
        ((part(), part(), part(seed=7)), r"A and C .*: seed \(0 and 7\)"),
        ((part(), part(suite={"version": "0.2", "commit": None})), r"suite \(0.1.0 none and 0.2"),
        ((part(), part(properties=[property_entry()])), "not of one run: properties"),
        ((part(), truncated(part())), "B is truncated: .*--resume.*--allow-truncated"),
        ((shard(1, 2), shard(1, 2)), "B and A are both shard 1/2"),
        ((shard(1, 2), shard(2, 3)), "B is shard 2/3, and A one of 2"),
        ((shard(3, 2),), "A: there is no shard 3/2"),
        (
            (part(cell()), part(cell(outcome="fail"))),
            r"mylib/cpu/float32/loss-formula has two verdicts, in A and B: outcome \(pass and fail",
        ),
        (
            (
                part(cell(outcome="fail")),
                part(cell(outcome="fail", expectation="known")),
            ),
            r"two verdicts.*expectation \(none and known\)",
        ),
        (
            (part(cell("empty-mean", label="nan")), part(cell("empty-mean", label="0"))),
            r"two verdicts.*label \(nan and 0\)",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_refused(parts: tuple[Any, ...], says: str) -> None:
    with pytest.raises(RecordsError, match=says) as caught:
        merge(*parts)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"version": "1.3"}, r"mylib is not the same in A and B: version \(1.2 and 1.3\)"),
        ({"version": None}, r"version \(1.2 and none\)"),
        ({"adapter": "x = 1"}, "in A and B: adapter$"),
        ({"capabilities": CAPABILITIES | {"gradient": False}}, "in A and B: capabilities$"),
    ],
)
def test_an_implementation_is_the_same_in_all_parts(fields: Any, says: str) -> None:
    other = part(implementations=[implementation() | fields])
    with pytest.raises(RecordsError, match=says):
        merge(part(), other)


@pytest.mark.parametrize(
    ("parts", "lacking"),
    [
        ((shard(2, 3, *CELLS),), ("shard 1/3", "shard 3/3")),
        ((part(*CELLS), truncated(part())), ("the end of B",)),
        ((truncated(shard(2, 2, *CELLS)),), ("the end of A", "shard 1/2")),
        (
            (shard(1, 2, *CELLS[1:6]), shard(2, 2, *CELLS[6:])),
            ("1 cells of mylib/cpu/float64",),
        ),
        ((shard(1, 2, *CELLS[:5]), shard(2, 2, *CELLS[5:8])), ("every cell of other",)),
    ],
)
def test_what_is_missing_is_said_and_there_is_no_footer(
    parts: tuple[Results, ...], lacking: tuple[str, ...]
) -> None:
    merged = merge(*parts, allow_truncated=True)
    assert merged.lacking == lacking
    assert not merged.results.complete


# --- The command ----------------------------------------------------------------------------------


def run(*arguments: object) -> Any:
    result = CliRunner().invoke(main, ["merge", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def saved(path: Path, results: Results) -> Path:
    path.parent.mkdir(exist_ok=True)
    return write_lines(path, *results.records())


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    first = saved(tmp_path / "1.jsonl", shard(1, 2, *CELLS[:5]))
    return first, saved(tmp_path / "2.jsonl", shard(2, 2, *CELLS[5:]))


def test_the_command_writes_one_file_and_its_page(tmp_path: Path, halves: Any) -> None:
    done = run(*halves, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert read_results(tmp_path / "out" / "results.jsonl", strict=True).cells == CELLS
    page = (tmp_path / "out" / "index.html").read_text()
    assert "<bdi>2026-01-02T03:04:02Z-ab12cd</bdi>, started 2026-01-02T03:04:02Z, shard 2/2" in page
    assert "This is shard" not in page
    assert "No unexpected failure in 12 judged cells." in done.stdout


def test_the_command_exits_as_a_run_would(tmp_path: Path, halves: Any) -> None:
    bad = saved(tmp_path / "2.jsonl", shard(2, 2, *CELLS[5:15], cell_that_failed()))
    assert run(halves[0], bad, "--output", tmp_path / "out").exit_code == 1
    level = ("--level", "must", "--output", tmp_path / "out")
    done = run(halves[0], halves[0].with_name("1.jsonl"), *level)  # the same file, named twice
    assert done.exit_code == 3
    assert "is truncated, without a footer: it lacks shard 2/2" in done.stderr
    assert not read_results(tmp_path / "out" / "results.jsonl").complete


def test_the_page_of_a_shard_says_that_it_is_one(halves: Any) -> None:
    assert CliRunner().invoke(main, ["report", str(halves[1])]).exit_code == 0
    page = halves[1].with_name("index.html").read_text()
    assert "This is shard 2/2 of a run." in page
    assert "This run is incomplete" not in page


def cell_that_failed() -> Any:
    return cell("empty-mean", implementation="other", dtype="float32", outcome="crash")


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda path: path.unlink(), 3, "2.jsonl: no such file"),
        (lambda path: path.write_text("{}\n"), 3, "2.jsonl line 1: not a valid header"),
        (lambda path: saved(path, truncated(shard(2, 2))), 3, "2.jsonl is truncated"),
        (lambda path: saved(path, shard(2, 2, seed=3)), 3, "2.jsonl are not of one run: seed"),
    ],
)
def test_a_part_that_is_no_part_is_said(
    tmp_path: Path, halves: Any, change: Any, code: int, says: str
) -> None:
    change(halves[1])
    done = run(*halves, "--output", tmp_path / "out")
    assert done.exit_code == code
    assert says in done.stderr
    assert not (tmp_path / "out" / "results.jsonl").exists()


def test_a_part_is_not_replaced_by_what_comes_of_it(tmp_path: Path) -> None:
    path = saved(tmp_path / "out" / "results.jsonl", shard(1, 2, *CELLS))
    before = path.read_bytes()
    done = run(path, "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert "is one of the parts" in done.stderr
    assert path.read_bytes() == before
    assert run().exit_code == 2
