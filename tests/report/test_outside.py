"""Wrong answers have no place in the pictures of accuracy: they are counted beside them."""

from __future__ import annotations

import re

from pages import Page
from synthetic import records

from conformance.report import accuracy
from conformance.report.run import Run, arrange


def outside(run: Run, name: str, dtype: str, side: str) -> tuple[int, int]:
    """Shared cases with a wrong answer, of all, by the records alone."""
    letters = "".join(
        c.record["corpus"]
        for c in run.cells
        if (c.column.name, c.dtype) == (name, dtype) and c.slug == f"{side}-formula"
    )
    return len(re.findall("[fe]", letters)), len(re.findall("[pfe]", letters))


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
                    assert f"{side} in {dtype}: {wrong} of {asked} shared cases" in own
    assert some > 3


def test_who_has_no_right_answer_is_there_all_the_same() -> None:
    name = "numpy-naive"
    found = [
        r | {"accuracy": None, "corpus": "ffff"}
        if r.get("implementation") == name and r["kind"] == "cell"
        else r
        for r in records()
    ]
    lines = {line.label: line for line in accuracy.overview(arrange(found))}
    assert accuracy.in_numbers(lines[name].loss["float32"]) == "4/4 outside"
