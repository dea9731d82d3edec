"""The lines and names of pictures can be told apart."""

from __future__ import annotations

import re

from pages import Page
from synthetic import records

from conformance.report.accuracy import distributions, overview
from conformance.report.lesson import curve_panels, ways
from conformance.report.run import arrange

LONG = ["torch-linear-cross-entropy", "torch-linear-cross-entropy-chunked"]


def flushed() -> list[dict[str, object]]:
    """The records, but one implementation's steps are infinite much sooner."""
    found = records()
    curve = next(r for r in found if r["kind"] == "curve" and r["points"][0]["chain"] is not None)
    for point in curve["points"]:
        if float(point["exact"]) > 5:
            point["chain"] = "inf"
    return found


def test_steps_that_end_differently_are_other_lines() -> None:
    run = arrange(flushed())
    kinds = ways(run)
    assert len(kinds) > 1
    assert len({name for way in kinds for name in way.names}) == sum(len(w.names) for w in kinds)
    panels = dict(curve_panels(run, kinds))
    drawn = set(re.findall(r"chain curve way(\d)", "".join(panels.values())))
    assert {"0", "1"} <= drawn


def test_each_kind_of_line_is_explained_on_the_page(pages: dict[str, Page]) -> None:
    page = pages["softmax-log-nll.html"]
    assert "What the lines are" in page.text
    for way in ways(arrange(records())):
        assert way.names[0] in page.text
    labels = [a.get("class") for tag, a in page.elements if tag == "text"]
    assert not [css for css in labels if css and "said" in css]


def test_long_names_beside_a_picture_are_told_apart() -> None:
    found = records()
    for old, new in zip(("torch-fused", "torch-compiled"), LONG, strict=True):
        for record in found:
            if record.get("implementation") == old:
                record["implementation"] = new
        for entry in found[0]["implementations"]:
            if entry["name"] == old:
                entry["name"] = new
    run = arrange(found)
    picture = distributions(overview(run), run.dtypes, "")
    cut = re.findall(r"<title>([^<]*)</title>([^<]*)</text>", picture)
    assert [title for title, _ in cut] == LONG
    assert len({shown for _, shown in cut}) == 2
    assert all(len(shown) <= 24 for _, shown in cut)
