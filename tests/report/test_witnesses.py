"""Findings lead to the cells of a run that show them."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from test_publish import cell, file

from conformance.cli import main
from conformance.report.prose import Prose, read_prose, render
from conformance.report.publish import publish

PASSES = "gradient-formula"
FAILS = {"outcome": "fail", "message": "is inf"}
NAME = cell()["implementation"]
SEEN = {("a-b", "s"): "x.html#s", ("a-b", "t"): "x.html#t", ("c.d", "t"): "y.html#t"}


def led(text: str) -> list[tuple[str, str]]:
    page = render(Prose(f"# T\n\n{text}", {}), "the report", SEEN)
    return re.findall('<a href="([xy][^"]*)">(.*?)</a>', page)


def test_a_name_leads_to_the_first_property_that_it_does_not_pass() -> None:
    assert led("`s`, `t` (a-b, c.d; not a-c)") == [("x.html#s", "a-b"), ("y.html#t", "c.d")]
    assert led("`t`, `s` (a-b)") == [("x.html#t", "a-b")]


def test_other_words_lead_nowhere() -> None:
    assert led("`u` (a-b), a-bs a-b-s [`s` a-b](https://x.org)") == []
    assert led("a-b `s`") == []
    assert led("`s`\n\na-b") == []


def test_a_report_and_a_site_lead_to_their_cells(tmp_path: Path) -> None:
    source = tmp_path / "known.md"
    source.write_text(f"# Known\n\n## A\n\n`{cell()['property']}` ({NAME})", "utf-8")
    results = file(tmp_path, cell(**FAILS), cell(PASSES))
    done = CliRunner().invoke(main, ["report", str(results), "--findings", str(source)])
    assert done.exit_code == 0, done.output
    publish(results, tmp_path / "site", {}, read_prose(source))
    for folder, prefix in ((tmp_path, ""), (tmp_path / "site", "runs/")):
        page = (folder / "findings.html").read_text("utf-8")
        found = re.search(f'<a href="({prefix}[^"#]*)#([^"]*)">{NAME}</a>', page)
        assert found
        assert f'id="{found[2]}"' in (folder / found[1]).read_text("utf-8")


def test_the_newest_run_of_each_implementation_is_shown(tmp_path: Path) -> None:
    slug = cell()["property"]
    (tmp_path / "k.md").write_text(f"# K\n\n## A\n\n`{slug}` ({NAME}, other)", "utf-8")
    other = [
        cell(slug, implementation="other", **more) for slug, more in ((slug, FAILS), (PASSES, {}))
    ]
    mine = [cell(**FAILS), cell(PASSES)]
    for day, cells in ((2, [*mine, *other]), (3, mine)):
        publish(
            file(tmp_path, *cells, day=day), tmp_path / "site", {}, read_prose(tmp_path / "k.md")
        )
    page = (tmp_path / "site" / "findings.html").read_text("utf-8")
    days = re.findall(r'<a href="runs/2026-01-0(\d)[^"]*">(.*?)</a>', page)
    assert days == [("3", NAME), ("2", "other")]
