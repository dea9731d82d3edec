"""A site is made of its records: whatever became of its pages, in whatever order runs came."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_publish import CRASH, cell, file, publish, state

from conformance.cli import main
from conformance.errors import RecordsError
from conformance.records.brief import read_brief
from conformance.records.packed import packed
from conformance.report.publish import refresh

BROKEN = (cell(), cell("gradient-formula", **CRASH))


def run(day: int) -> str:
    return f"2026-01-{day:02}t030405z-ab12cd"


def contents(site: Path) -> dict[str, bytes]:
    return {name: content for name, (content, _) in state(site).items()}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Three runs: a cell breaks in the second, and is whole again in the third."""
    for day, cells in ((3, ()), (5, BROKEN), (9, ())):
        publish(file(tmp_path, *cells, day=day), tmp_path / "site")
    return tmp_path / "site"


# --- Order and kinds of runs ---------------------------------------------------------------------


@pytest.mark.parametrize("order", [(9, 5, 3), (5, 9, 3), (3, 9, 5)])
def test_a_site_is_the_same_in_whatever_order_its_runs_came(
    order: tuple[int, ...], site: Path, tmp_path: Path
) -> None:
    for day in order:
        publish(file(tmp_path, *(BROKEN if day == 5 else ()), day=day), tmp_path / "other")
    assert contents(tmp_path / "other") == contents(site)


def test_an_older_run_changes_what_the_next_one_is_compared_with(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish(file(tmp_path, day=3), site)
    publish(file(tmp_path, day=9), site)
    changes = site / "runs" / run(9) / "changes.html"
    assert "Fixed" not in changes.read_text()
    publish(file(tmp_path, *BROKEN, day=5), site)
    assert "Fixed" in changes.read_text()


@pytest.mark.parametrize("other", ["profile", "seed", "device"])
def test_runs_that_asked_other_cases_or_devices_are_not_compared(
    other: str, tmp_path: Path
) -> None:
    site, cells, fields = tmp_path / "site", [cell(), cell("gradient-formula")], {}
    if other == "device":
        cells = [c | {"device": "cuda", "id": c["id"].replace("/cpu/", "/cuda/")} for c in cells]
        (entry,) = json.loads(file(tmp_path).read_text().splitlines()[0])["implementations"]
        entry["capabilities"]["devices"] = ["cpu", "cuda"]
        fields = {"implementations": [entry]}
    else:
        fields = {"profile": "deep"} if other == "profile" else {"seed": 7}
    publish(file(tmp_path, day=3), site)
    publish(file(tmp_path, *cells, day=4, **fields), site)
    publish(file(tmp_path, *BROKEN, day=5), site)
    assert not (site / "runs" / run(4) / "changes.html").exists()
    changes = (site / "runs" / run(5) / "changes.html").read_text()
    assert "1 cell broke" in changes
    assert "2026-01-03" in changes
    assert 'href="index.html"' in changes
    assert 'href="../../index.html"' in changes


def test_the_records_of_a_site_may_be_published_again_and_elsewhere(
    site: Path, tmp_path: Path
) -> None:
    before = state(site)
    for records in sorted((site / "runs").glob("*/results.jsonl.xz")):
        assert not publish(records, site).new
        assert publish(records, tmp_path / "other").new
    assert state(site) == before
    assert contents(tmp_path / "other") == contents(site)


# --- Made anew -----------------------------------------------------------------------------------


def test_a_site_that_is_whole_is_not_touched(site: Path) -> None:
    before = state(site)
    assert refresh(site).runs == 3
    assert state(site) == before


def test_every_page_is_made_anew_from_the_records(site: Path) -> None:
    before = contents(site)
    for path in site.rglob("*"):
        if path.suffix == ".html":
            path.write_text("of an older suite")
    shutil.rmtree(site / "badges")
    (site / "runs" / run(3) / "changes.html").write_text("nothing was before it")
    assert refresh(site).warnings == ()
    assert contents(site) == before


def test_records_and_history_alone_make_a_site(site: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for path in (*site.glob("history/*.json"), *site.glob("runs/*/results.jsonl.xz")):
        target = other / path.relative_to(site)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    refresh(other)
    assert contents(other) == contents(site)


def test_two_sites_become_one(site: Path, tmp_path: Path) -> None:
    for name, days in (("one", (3, 9)), ("two", (5,))):
        for day in days:
            publish(file(tmp_path, *(BROKEN if day == 5 else ()), day=day), tmp_path / name)
    for folder in ("runs", "history"):
        shutil.copytree(tmp_path / "two" / folder, tmp_path / "one" / folder, dirs_exist_ok=True)
    refresh(tmp_path / "one")
    assert contents(tmp_path / "one") == contents(site)


def test_other_records_than_were_published_are_refused(site: Path, tmp_path: Path) -> None:
    records = site / "runs" / run(5) / "results.jsonl.xz"
    records.write_bytes(packed(file(tmp_path, day=5).read_bytes()))
    with pytest.raises(RecordsError, match=r"05t030405z.*not the records that were published"):
        refresh(site)
    records.unlink()
    with pytest.raises(RecordsError, match=r"05t030405z.*no such file"):
        refresh(site)
    done = publish(file(tmp_path, day=10), site)  # compared with the run of the 9th
    assert done.warnings == ()
    done = publish(file(tmp_path, day=6), site)
    assert [warning.split(":")[0] for warning in done.warnings] == ["no page of what changed"]


def test_the_command_makes_a_site_anew_and_names_a_folder_that_is_none(
    site: Path, tmp_path: Path
) -> None:
    done = CliRunner().invoke(main, ["publish", "--site", str(site)])
    assert (done.exit_code, done.stdout) == (0, f"{site / 'index.html'}\n")
    assert "3 runs" in done.stderr
    done = CliRunner().invoke(main, ["publish", "--site", str(tmp_path / "nothing")])
    assert done.exit_code == 3
    assert "no published runs" in done.stderr
    assert not (tmp_path / "nothing").exists()


# --- What a site remembers -----------------------------------------------------------------------


def test_validate_knows_the_brief_records_of_a_site(site: Path) -> None:
    files = sorted(map(str, site.glob("history/*.json")))
    done = CliRunner().invoke(main, ["validate", *files])
    assert done.exit_code == 0, done.output
    first, *_ = done.stdout.splitlines()
    assert first == f"{files[0]}: the run 2026-01-03T03:04:05Z-ab12cd in brief, 2 cells"


def change(record: Any, **fields: Any) -> Any:
    (entry,) = record["implementations"]
    return record | {"implementations": [entry | fields]}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (lambda r: r | {"records": "abc"}, "not a valid history"),
        (lambda r: r | {"schema": 2}, "install a newer release"),
        (lambda r: {k: v for k, v in r.items() if k != "verdict"}, "'verdict' is a required"),
        (lambda r: change(r, passed=3), "3 passed or failed, of 2 judged"),
        (lambda r: change(r, known=1), "3 passed or failed, of 2 judged"),
        (lambda r: change(r, unexpected={"must": 1}), "3 passed or failed, of 2 judged"),
        (lambda r: change(r, judged=3), "3 judged, of 2 applicable"),
        (lambda r: r | {"cells": 1}, "1 cells, and 2 of them"),
        (lambda r: r | {"implementations": r["implementations"] * 2}, "listed 2 times"),
    ],
)
def test_a_brief_record_that_contradicts_itself_is_refused(
    changed: Any, says: str, site: Path, tmp_path: Path
) -> None:
    path = tmp_path / "brief.json"
    path.write_text(json.dumps(changed(read_brief(site / "history" / f"{run(3)}.json"))))
    done = CliRunner().invoke(main, ["validate", str(path)])
    assert done.exit_code == 3
    assert says in done.stderr
    assert str(path) in done.stderr
