"""Of a merged run the report says who was judged in which environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import synthetic

from conformance.report.build import build_report


def merged(records: list[Any], *parts: dict[str, Any]) -> list[Any]:
    header, *rest = records
    return [header | {"parts": [part(header, **fields) for fields in parts]}, *rest]


def part(header: Any, python: str, packages: dict[str, str], **fields: Any) -> dict[str, Any]:
    host = header["host"] | {"python": python}
    run = {"run": header["run"], "started": header["started"], "shard": None}
    return run | {"host": host, "packages": packages} | fields


@pytest.fixture(scope="module")
def records() -> list[Any]:
    return synthetic.records()


def test_two_environments_are_told_apart(records: list[Any], tmp_path: Path) -> None:
    first, *others = [entry["name"] for entry in records[0]["implementations"]]
    new = {"python": "3.11.7", "packages": {"numpy": "2.9.1"}, "implementations": others}
    old = {"python": "3.9.18", "packages": {"numpy": "1.23.5"}, "implementations": [first]}
    index = build_report(merged(records, new, old | {"profile": "quick"}), tmp_path)
    page = index.read_text("utf-8")
    assert "2 environments" in page
    section = page.partition("2 environments")[2]
    assert section.index("3.11.7") < section.index(others[-1]) < section.index("1.23.5")
    assert section.index("3.9.18") < section.index(first)
    own = (tmp_path / "implementations" / f"{first}.html").read_text("utf-8")
    assert "Python 3.9.18" in own
    assert "numpy 1.23.5" in own
    assert "2.9.1" not in own


def test_parts_in_one_environment_are_one(records: list[Any], tmp_path: Path) -> None:
    alike = {"python": "3.11.7", "packages": {"numpy": "2.9.1"}}
    page = build_report(merged(records, alike, alike), tmp_path).read_text("utf-8")
    assert "environments" not in page
