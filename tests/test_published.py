"""What lies in reports/published is whole: valid records, and nothing about the machine."""

from __future__ import annotations

import lzma
import re
from pathlib import Path
from urllib.parse import unquote

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


def test_most_findings_lead_to_their_witnesses() -> None:
    """Those that a property has found; the others say why the suite does not show them."""
    entries = re.split("<h3 ", (SITE / "findings.html").read_text("utf-8"))[1:]
    witnessed = 0
    for entry in entries:
        title, found = entry.partition("</h3>")[0], re.search("Found by:(.*?)</li>", entry, re.S)
        assert found, title
        led = re.findall('href="(runs/[^"#]+)#([^"]+)"', found[1])
        assert led or re.search("nothing|until|in a trial", found[1]), title
        witnessed += bool(led)
        for page, cell in led:
            assert f'id="{unquote(cell)}"' in (SITE / page).read_text("utf-8"), (title, cell)
    assert witnessed > 100


def test_published_records_do_not_say_where_they_were_made() -> None:
    for path in RECORDS:
        text = lzma.decompress(path.read_bytes()).decode("utf-8")
        assert not re.findall(r"/(?:home|root|Users|tmp|opt)/[\w.]+/", text)
