"""Wrong answers have no place in the pictures of accuracy: they are counted beside them."""

from __future__ import annotations

from pages import Page
from synthetic import records

from conformance.report import accuracy
from conformance.report.run import Run, arrange


def outside(run: Run, name: str, dtype: str, side: str) -> tuple[int, int]:
    """Cases with a wrong answer, of all, by the records alone."""
    cells = [
        c.record
        for c in run.cells
        if (c.column.name, c.dtype) == (name, dtype) and c.slug == f"{side}-formula"
    ]
    asked = sum(c["examples"]["corpus"] + c["examples"]["searched"] for c in cells)
    return sum(c["failed"] for c in cells), asked


def test_every_wrong_answer_is_counted_beside_the_picture(pages: dict[str, Page]) -> None:
    run = arrange(records())
    drawn = accuracy.overview(run)
    some = 0
    for line, column in zip(drawn, run.columns, strict=True):
        for side in ("loss", "gradient"):
            for dtype, errors in getattr(line, side).items():
                wrong, asked = outside(run, column.name, dtype, side)
                assert (errors.outside, errors.asked) == (wrong, asked)
                if wrong:
                    some += 1
                    assert f"{wrong}/{asked} outside" in pages["index.html"].text
                    own = pages[f"implementations/{column.name}.html"].text
                    assert f"{side} in {dtype}: {wrong} of {asked} cases" in own
    assert some > 3


def test_older_records_count_the_shared_cases() -> None:
    older = [{k: v for k, v in r.items() if k != "failed"} for r in records()]
    run = arrange(older)
    column = next(c for c in run.columns if c.name == "liger-kernel")
    letters = next(c for c in run.of(column) if c.id.endswith("float64/loss-formula")).record
    errors = accuracy.left_out(run, column).loss["float64"]
    assert errors.outside == letters["corpus"].count("f") > 0
    assert errors.asked == len(letters["corpus"])


def test_who_has_no_right_answer_is_there_all_the_same() -> None:
    name = "numpy-naive"
    found = [
        {k: v for k, v in r.items() if k != "failed"} | {"accuracy": None, "corpus": "ffff"}
        if r.get("implementation") == name and r["kind"] == "cell"
        else r
        for r in records()
    ]
    lines = {line.label: line for line in accuracy.overview(arrange(found))}
    assert accuracy.in_numbers(lines[name].loss["float32"]) == "4/4 outside"
