"""The kill matrix says who kills whom, and what the suite is to be blamed for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner
from jsonschema import validate
from kills import SCHEMA, Kills, write
from matrix import main


def row(name: str, fails: str = "", **more: Any) -> dict[str, Any]:
    plain = {"module": "tiles", "says": f"{name} says.", "link": "", "dtype": "float32"}
    wing = "faulty" if fails else "right"
    return plain | {"name": name, "wing": wing, "fails": fails, "rare": False, "without": []} | more


def cell(name: str, slug: str, outcome: str, seed: int = 0, **more: Any) -> dict[str, Any]:
    where = {"implementation": name, "property": slug, "dtype": "float32", "seed": seed}
    return where | {"outcome": outcome, "cases": 3, "seconds": 0.5, "message": "off"} | more


def matrix(*cells: dict[str, Any], whole: tuple[dict[str, Any], ...] = ()) -> Kills:
    said = {"family": "definition", "level": "must", "statement": "It holds."}
    document = {
        "schema": 1,
        "suite": "1.0",
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
        "profile": "quick",
        "seeds": [0, 1],
        "complete": True,
        "properties": [said | {"slug": slug} for slug in ("loss-formula", "sums", "idle")],
        "implementations": [
            row("Dropped", "sums", link="https://github.com/someone/something/issues/1"),
            row("Doubled", "loss-formula"),
            row("Hidden", "sums"),
            row("Reversed", without=["idle"]),
        ],
        "cells": list(cells),
        "whole": list(whole),
        "streams": [],
    }
    validate(document, SCHEMA)
    return Kills(document)


FOUND = matrix(
    cell("Dropped", "sums", "fail", without_formula=True),
    cell("Dropped", "sums", "pass", seed=1),
    cell("Dropped", "loss-formula", "fail", without_formula=False),
    cell("Doubled", "loss-formula", "fail", without_formula=False),
    cell("Doubled", "sums", "unsupported"),
    cell("Hidden", "sums", "pass"),
    cell("Reversed", "idle", "fail"),
)


def test_kills_are_counted():
    assert FOUND.killed == {
        "loss-formula": ["Dropped", "Doubled"],
        "sums": ["Dropped"],
        "idle": [],
    }
    assert FOUND.survivors == ["Hidden"]
    assert FOUND.idle == ["idle"]


def test_the_property_that_names_a_fault_comes_first():
    assert FOUND.killers["Dropped"] == ["sums", "loss-formula"]


def test_only_killers_and_kills_without_the_formula_are_told():
    assert FOUND.only("loss-formula") == ["Doubled"]
    assert FOUND.only("sums") == []
    assert FOUND.alone("sums") == ["Dropped"]
    assert FOUND.leaning == ["loss-formula"]
    assert FOUND.by_formula_only == ["Doubled"]


def test_a_level_that_is_not_claimed_is_no_accusation():
    assert list(FOUND.faults()) == ["idle kills nothing"]


def test_an_accusation_is_a_fault():
    accused = matrix(cell("Reversed", "sums", "fail"))
    assert any("Reversed is right, and accused by sums" in fault for fault in accused.faults())


def test_another_choice_is_no_accusation():
    chose = matrix(cell("Reversed", "sums", "label"))
    assert not any("Reversed" in fault for fault in chose.faults())


def test_a_fault_that_survives_some_seeds_is_a_fault():
    whole = (cell("Hidden", "sums", "fail"), cell("Hidden", "sums", "flaky", seed=1))
    assert "Hidden survives sums with seeds [1]" in list(matrix(whole=whole).faults())


def test_a_vacuous_property_is_a_fault():
    whole = (cell("Faithful", "sums", "vacuous"),)
    assert any("vacuous" in fault for fault in matrix(whole=whole).faults())


def test_a_property_that_breaks_is_a_fault():
    broken = matrix(cell("Hidden", "sums", "broken", message="sums itself raised IndexError()"))
    assert any("sums itself raised" in fault for fault in broken.faults())


def test_the_page_tells_the_whole_story(tmp_path: Path):
    write(FOUND.document, tmp_path)
    page = (tmp_path / "kill-matrix.html").read_text("utf-8")
    assert "1 fault survives" in page
    assert 'href="https://github.com/someone/something/issues/1"' in page
    assert "<script" not in page
    assert page.count('<th scope="row"><a href="#') == len(FOUND.faulty)
    assert "1/2" in page  # one of two seeds
    assert "idle kills nothing" in (tmp_path / "kill-matrix.md").read_text("utf-8")


def test_one_command_makes_it(tmp_path: Path):
    """Also that the exit code is that of a suite without fault, and that a part says so."""
    asked = ["--property", "worked-example", "--workers", "1", "--output", str(tmp_path)]
    rows = ["--implementation", "TailTileDropped", "--implementation", "BaseTwo"]
    done = CliRunner().invoke(main, [*asked, *rows], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    page = (tmp_path / "kill-matrix.html").read_text("utf-8")
    assert "A part of the matrix" in page
