"""What lies in reports/published is whole: valid records, and nothing about the machine."""

from __future__ import annotations

import lzma
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main

SITE = Path(__file__).parents[1] / "reports" / "published"
RECORDS = sorted(SITE.glob("runs/*/results.jsonl.xz"))


@pytest.mark.slow
def test_published_records_are_valid() -> None:
    files = [*RECORDS, *sorted(SITE.glob("history/*.json"))]
    done = CliRunner().invoke(main, ["validate", *map(str, files)])
    assert RECORDS
    assert done.exit_code == 0, done.output


def test_published_records_do_not_say_where_they_were_made() -> None:
    for path in RECORDS:
        text = lzma.decompress(path.read_bytes()).decode("utf-8")
        assert not re.findall(r"/(?:home|root|Users|tmp|opt)/[\w.]+/", text)
