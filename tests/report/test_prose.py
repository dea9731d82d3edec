"""The page that explains findings: made of Markdown and its scripts, kept by a site, linked to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pages import Page, dead_links
from sites import FINDINGS
from test_publish import cell, file

from conformance.cli import main
from conformance.errors import UsageError
from conformance.report.prose import Prose, read_prose, render
from conformance.report.publish import publish
from conformance.report.text import said

REASON = "as docs/findings.md#a-b says (docs/findings.md)."
KNOWN = {"outcome": "fail", "expectation": "known", "reason": REASON, "message": "is inf"}


def page_of(text: str, **scripts: str) -> Page:
    named = {f"x/{name}.py": source for name, source in scripts.items()}
    return Page(render(Prose(text, named), "the report"))


def test_ours_is_whole() -> None:
    prose = read_prose(FINDINGS)
    page = Page(render(prose, "the report"))
    assert sorted(prose.scripts) == sorted(
        path.relative_to(FINDINGS.parent).as_posix()
        for path in FINDINGS.parent.glob("findings/*.*")
    )
    for source in prose.scripts.values():
        assert " ".join(source.split()) in " ".join(page.text.split())
    assert "labels-are-broadcast" in set(page.all("id"))
    assert dead_links({"findings.html": page, "index.html": page}) == []
    assert len(set(page.all("id"))) == len(list(page.all("id")))


def test_markup_is_text_and_nothing_is_loaded() -> None:
    page = page_of("# T\n\n<script>x</script> ![i](https://x.org/i.png) [j](javascript:alert(1))")
    assert "<script>x</script>" in page.text
    assert not list(page.all("src"))
    assert all(re.match(r"https://|#|index.html|data:,", href) for href in page.all("href"))


def test_headings_have_the_ids_of_github() -> None:
    page = page_of("# T\n\n## The `x_y` of float16, twice\n\n## A\n\n## A\n\n## Verdict")
    found = [i for i in page.all("id") if i not in ("theme", "verdict")]
    assert found == ["the-x_y-of-float16-twice", "a", "a-1", "verdict-1"]


def test_a_script_stands_once_where_it_is_named_and_other_files_are_no_links() -> None:
    page = page_of("# T\n\n- [s](x/s.py)\n\n[again](x/s.py) [o](../o.md)", s="print('<&>')")
    assert page.text.count("print('<&>')") == 1
    assert [href for href in page.all("href") if "s.py" in href] == ["#s.py", "#s.py"]
    assert not any("o.md" in href for href in page.all("href"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        (b"\xff", "UTF-8"),
        (b"[x](x/gone.py)", "gone.py, which .* links to"),
    ],
)
def test_a_file_that_cannot_be_taken_is_an_error(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "f.md"
    if content is not None:
        path.write_bytes(content)
    results, site = file(tmp_path), tmp_path / "site"
    for where in (["publish", "--site", str(site)], ["report", "--output", str(site)]):
        done = CliRunner().invoke(main, [*where, str(results), "--findings", str(path)])
        error = done.exception
        assert done.exit_code == 2 or isinstance(error, UsageError)
        assert re.search(says, done.output + str(error))
        assert not site.exists()


def test_a_reason_leads_to_the_page_only_where_there_is_one() -> None:
    assert "href" not in said(REASON)
    page = Page(str(said(REASON, "../f.html")))
    assert list(page.all("href")) == ["../f.html#a-b", "../f.html"]
    assert "".join(page.words) == REASON.replace("#a-b", "")
    assert "href" not in said("x/docs/findings.md docs/findings.mdx", "f.html")


def links(path: Path) -> set[str]:
    return {href for href in Page(path.read_text("utf-8")).all("href") if "findings" in href}


def test_a_site_keeps_the_page_and_leads_to_it_from_every_run(tmp_path: Path) -> None:
    site, up = tmp_path / "site", "../../findings.html"
    source = tmp_path / "known.md"
    source.write_text("# Known\n\n## A b\n\n[s](x/s.py)", "utf-8")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/s.py").write_text("print(1)", "utf-8")
    cells = (cell(**KNOWN), cell("gradient-formula"))
    publish(file(tmp_path, *cells, day=2), site, {})
    first = next((site / "runs").iterdir())
    assert links(first / "index.html") == set()
    publish(file(tmp_path, *cells, day=3), site, {}, read_prose(source))
    for index in (site / "runs").glob("*/index.html"):
        assert links(index) == {up, f"{up}#a-b"}
    assert f"../{up}#a-b" in links(next(first.glob("implementations/*.html")))
    assert links(site / "index.html") == {"findings.html"}
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    for path in [*site.rglob("*.html")]:
        path.unlink()
    done = CliRunner().invoke(main, ["publish", "--site", str(site)])
    assert done.exit_code == 0, done.output
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_a_report_has_the_page_beside_it(tmp_path: Path) -> None:
    results = file(tmp_path, cell(**KNOWN), cell("gradient-formula"))
    for more in (["--findings", str(FINDINGS)], []):
        done = CliRunner().invoke(main, ["report", str(results), *more])
        assert done.exit_code == 0, done.output
        assert links(tmp_path / "index.html") == {"findings.html", "findings.html#a-b"}
