"""The exit code and the summary follow from the records alone."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from conformance.cases.case import Case
from conformance.commands.summary import exit_code, print_summary, verdict
from conformance.records.results import Results, blank_cell
from conformance.records.witness import encode_case

PROPERTIES = {"formula": "must", "offset": "should", "empty-mean": "behaviour"}
FOOTER: Any = {"complete": True}


def cell(
    outcome: str = "pass", slug: str = "formula", *, name: str = "mylib", **fields: Any
) -> Any:
    dtype = fields.pop("dtype", "float32")
    return blank_cell(name, "cpu", dtype, slug, PROPERTIES[slug], outcome=outcome, **fields)


def results(*cells: Any) -> Results:
    header: Any = {
        "implementations": [
            {"name": name} for name in dict.fromkeys(c["implementation"] for c in cells)
        ],
        "properties": [{"slug": s, "statement": f"The {s} holds."} for s in PROPERTIES],
    }
    return Results(header, cells, (), FOOTER)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([cell()], 0),
        ([cell(), cell("unsupported", "offset")], 0),
        ([cell("fail", expectation="known")], 0),
        ([cell(), cell("fail", "empty-mean")], 0),
        ([cell(), cell("not-run", "offset")], 0),
        ([cell("fail")], 1),
        ([cell("fail", "offset")], 1),
        ([cell("crash")], 1),
        ([cell("timeout")], 1),
        ([cell("flaky")], 1),
        ([cell("vacuous")], 1),
        ([cell("error")], 1),
        ([cell(expectation="stale")], 1),
        ([cell("fail"), cell("not-run", dtype="float64")], 1),
        ([cell(), cell("not-run", dtype="float64")], 3),
        ([cell("unsupported")], 3),
        ([cell(), cell("not-run", "offset", name="broken", reason="no such module")], 3),
        ([], 3),
    ],
)
def test_the_exit_code_says_what_happened(cells: list[Any], code: int) -> None:
    assert exit_code(results(*cells)) == code


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([], 0),
        ([cell("unsupported")], 0),
        ([cell(), cell("not-run", "offset", name="other", reason="too few cases")], 0),
        ([cell(), cell("not-run", name="broken", reason="no such module")], 3),
        ([cell("fail")], 1),
    ],
)
def test_a_shard_need_not_have_a_cell_of_everybody(cells: list[Any], code: int) -> None:
    part = results(*cells)
    shard = replace(part, header=part.header | {"shard": "2/8"})  # type: ignore[arg-type]
    assert exit_code(shard) == code
    assert exit_code(replace(shard, footer=None)) == (code or 3)
    assert verdict(replace(shard, cells=())) == "Nothing was judged in shard 2/8."


def test_at_level_must_a_should_is_no_failure() -> None:
    found = results(cell(), cell("fail", "offset"))
    assert exit_code(found) == 1
    assert exit_code(found, ("must",)) == 0


def test_a_truncated_run_is_never_0() -> None:
    found = results(cell())
    assert exit_code(Results(found.header, found.cells, (), None)) == 3


def summary(*cells: Any, levels: tuple[str, ...] = ("must", "should")) -> str:
    text = io.StringIO()
    found = results(*cells)
    print_summary(found, Console(file=text, width=120), Path("out/results.jsonl"), levels)
    return text.getvalue()


def test_a_failure_is_told_with_its_statement_message_and_replay() -> None:
    case = Case(np.zeros((1, 2), np.float16), np.array([1]), reduction="sum")
    witness = {"kind": "wrong", "case": encode_case(case)}
    failing = [
        cell("fail", dtype=dtype, message="the loss[0] is [bold]inf[/bold]", witness=witness)
        for dtype in ("float16", "bfloat16")
    ]
    said = summary(cell(), *failing)
    assert "FAIL mylib formula (must; float16, bfloat16 on cpu)" in said
    assert "The formula holds." in said
    assert "the loss[0] is [bold]inf[/bold]" in said
    assert "logits = [[0., 0.]]  (float16 (1, 2))" in said
    assert "reduction='sum'" in said
    assert "conformance replay out/results.jsonl --cell mylib/cpu/float16/formula" in said
    assert "2 unexpected failures in 3 judged cells." in said


def test_the_table_counts_each_cell_once() -> None:
    said = summary(
        cell(),
        cell(dtype="float64"),
        cell("fail", expectation="known", dtype="float16"),
        cell("fail", "offset"),
        cell("pass", "empty-mean"),
        cell("unsupported", "offset", dtype="float64"),
        cell("inapplicable", "offset", dtype="float32"),
        cell("inapplicable", "empty-mean", dtype="float32"),
        cell("not-run", "offset", dtype="float16"),
    )
    assert said.splitlines()[1].split() == ["mylib", "2", "1", "1", "1", "1", "2", "1"]


def test_a_stale_expectation_is_called_stale() -> None:
    assert "STALE mylib formula" in summary(cell(expectation="stale", message="its witness passes"))


def test_what_could_not_be_asked_is_said_with_its_reason() -> None:
    said = summary(cell(), cell("not-run", name="other", reason="torch is not installed"))
    assert "other: not asked: torch is not installed" in said
    assert "not everything could be asked" in said


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([cell()], "No unexpected failure in 1 judged cells."),
        ([cell("fail")], "1 unexpected failure in 1 judged cells."),
        ([cell("unsupported")], "Nothing was judged."),
        ([cell("fail", "empty-mean")], "Nothing was judged."),
    ],
)
def test_the_verdict_is_one_sentence(cells: list[Any], says: str) -> None:
    assert verdict(results(*cells)) == says
