"""What changed between two runs is told as it is: nothing that broke goes unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from samples import cell, footer, header, witness

from conformance.records.diff import BREAKING, KINDS, Diff, diff
from conformance.records.results import Results
from conformance.records.schema import to_json

PASS: dict[str, Any] = {"outcome": "pass"}
FAIL = {"outcome": "fail", "message": "the loss is inf", "witness": witness()}
KNOWN = FAIL | {"expectation": "known", "reason": "it sums in bfloat16"}
STALE = PASS | {"expectation": "stale", "reason": "it sums in bfloat16"}
CRASH = {"outcome": "crash", "message": "SIGSEGV"}
NOT_RUN = {"outcome": "not-run", "reason": "stopped"}
UNSUPPORTED = {"outcome": "unsupported", "reason": "takes no weight"}


def raising(got: str) -> dict[str, Any]:
    return FAIL | {"witness": witness(kind="raised", got=got)}


def run(*cells: Any, **fields: Any) -> Results:
    return Results(header("mylib", **fields), cells, (), footer(*cells))


def compared(before: dict[str, Any] | None, after: dict[str, Any] | None, slug: str = "") -> Diff:
    """The difference between two runs of one cell."""
    slug = slug or "loss-formula"
    old, new = ([cell(slug, **f)] if f is not None else [] for f in (before, after))
    return diff(run(*old), run(*new))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (PASS, FAIL, "broken"),
        (PASS, KNOWN, "broken"),
        (PASS, CRASH, "broken"),
        (PASS, NOT_RUN, "broken"),
        (PASS, STALE, "broken"),
        (PASS, {"outcome": "vacuous", "message": "2 of 40"}, "broken"),
        (NOT_RUN, FAIL, "broken"),
        (UNSUPPORTED, FAIL, "broken"),
        (None, FAIL, "broken"),
        (KNOWN, FAIL, "no-longer-known"),
        (KNOWN, CRASH, "no-longer-known"),
        (FAIL, PASS, "fixed"),
        (KNOWN, PASS, "fixed"),
        (KNOWN, STALE, "fixed"),
        (CRASH, PASS, "fixed"),
        (FAIL, KNOWN, "now-known"),
        (FAIL, CRASH, "other-way"),
        (NOT_RUN, UNSUPPORTED, "other-way"),
        (KNOWN, KNOWN | {"witness": witness(kind="raised", got="ValueError: no")}, "other-way"),
        (raising("std::out_of_range: 7"), raising("std::length_error: 7"), "other-way"),
        (UNSUPPORTED, PASS, "judged"),
        (NOT_RUN, KNOWN, "judged"),
        (PASS, UNSUPPORTED, "dropped"),
        (KNOWN, NOT_RUN, "dropped"),
        (None, PASS, "added"),
        (None, KNOWN, "added"),
        (PASS, None, "removed"),
        (FAIL, None, "removed"),
    ],
)
def test_each_change_of_a_cell_has_its_kind(before: Any, after: Any, kind: str) -> None:
    found = compared(before, after)
    assert [change.kind for change in found.changes] == [kind]
    assert found.broke == (kind in ("broken", "no-longer-known"))
    assert found.unchanged == 0


@pytest.mark.parametrize("fields", [PASS, FAIL, KNOWN, STALE, CRASH, NOT_RUN, UNSUPPORTED])
def test_what_ended_alike_is_unchanged(fields: Any) -> None:
    found = compared(fields, fields | {"seconds": 7.0})
    assert (found.changes, found.unchanged, found.broke) == ((), 1, False)


def test_every_kind_is_one_that_is_explained() -> None:
    assert set(BREAKING) < set(KINDS)


def test_a_choice_point_with_another_answer_breaks_nothing() -> None:
    found = compared(PASS | {"label": "0"}, PASS | {"label": "nan"}, "empty-mean")
    assert [change.kind for change in found.changes] == ["relabelled"]
    assert not found.broke


def test_the_worst_changes_come_first() -> None:
    before = run(cell(dtype="float64"), cell("gradient-formula"), cell(**FAIL))
    after = run(cell("offset"), cell("gradient-formula", **CRASH), cell(**PASS))
    kinds = [change.kind for change in diff(before, after).changes]
    assert kinds == ["broken", "fixed", "added", "removed"]


# --- Accuracy ------------------------------------------------------------------------------------


def errors(ulp: Any, ratio: Any, count: int = 10) -> dict[str, Any]:
    return {"count": count, "max_ulp": ulp, "max_ratio": ratio, "histogram": [0] * 13 + [count]}


def measured(slug: str = "loss-formula", **regimes: Any) -> Any:
    return cell(slug, accuracy=regimes)


def test_the_largest_error_moves_better_or_worse() -> None:
    before = run(
        measured(typical=errors(1.5, 0.25), wide=errors(2.0, 0.5)),
        measured("gradient-formula", typical=errors(2.0, 0.25)),
    )
    after = run(
        measured(typical=errors(1.5, 0.25), wide=errors(1.0, 0.125)),
        measured("gradient-formula", typical=errors("inf", "inf")),
    )
    gradient, loss = diff(before, after).accuracy
    assert (gradient.side, gradient.better, gradient.factor) == ("gradient", False, float("inf"))
    assert (loss.side, loss.better, loss.factor) == ("loss", True, 0.5)
    assert (loss.before.ratio, loss.after.ratio) == (0.5, 0.25)


def test_the_same_errors_are_counted_and_not_told() -> None:
    found = diff(*[run(measured(typical=errors(1.5, 0.25)))] * 2)
    assert (found.accuracy, found.same_accuracy) == ((), 1)


def test_a_regime_with_other_cases_is_left_out() -> None:
    before = run(measured(typical=errors(1.0, 0.5), wide=errors(1.0, 0.1)))
    after = run(measured(typical=errors(9.0, 0.9, count=9), wide=errors(1.0, 0.2)))
    (found,) = diff(before, after).accuracy
    assert (found.before.ratio, found.after.ratio) == (0.1, 0.2)
    assert found.left_out == ("typical",)


@pytest.mark.parametrize(
    "fields", [{"seed": 1}, {"profile": "deep"}, {"suite": {"version": "9.9", "commit": None}}]
)
def test_runs_of_other_cases_have_no_comparable_accuracy(fields: Any) -> None:
    before = run(measured(typical=errors(1.0, 0.5)))
    found = diff(before, run(measured(typical=errors(1.0, 0.6)), **fields))
    assert (found.accuracy, found.same_accuracy) == ((), 0)
    assert found.incomparable == ("mylib/cpu/float32 (loss)",)
    assert "Other cases were asked" in found.caveats[0]


def test_another_commit_of_the_suite_is_told() -> None:
    found = diff(run(), run(suite={"version": "0.1.0", "commit": "0123456"}))
    assert "commits differ" in found.caveats[0]


# --- Settings, JSON ------------------------------------------------------------------------------


def test_versions_and_adapters_that_changed_are_told() -> None:
    before, after = run(), run(packages={"numpy": "2.5", "torch": "2.13"})
    after.header["implementations"][0].update(version="1.3", adapter="import mylib")
    found = {s.name: (s.before, s.after) for s in diff(before, after).settings}
    assert found == {
        "numpy": ("2.4", "2.5"),
        "torch": ("none", "2.13"),
        "mylib": ("mylib 1.2", "mylib 1.3"),
        "adapter of mylib": ("one text", "another"),
    }


def test_the_difference_is_json_too() -> None:
    old = run(cell(), measured("gradient-formula", typical=errors(1.0, 0.5)))
    new = run(cell(**FAIL), measured("gradient-formula", typical=errors("inf", "inf")))
    record = json.loads(to_json(diff(old, new).to_record()))
    assert record["broke"] is True
    assert [c["id"] for c in record["cells"]["broken"]] == ["mylib/cpu/float32/loss-formula"]
    assert record["cells"]["broken"][0]["after"]["ended"] == "fail"
    assert record["accuracy"][0]["after"]["ratio"] == "inf"
