"""A site: what is evidence is added once and never changed, what is none is refused."""

from __future__ import annotations

import json
import lzma
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Page

sys.path.insert(0, str(Path(__file__).parents[1] / "records"))
from samples import LEVEL, cell, footer, header, implementation, property_entry, write_lines

from conformance.errors import RecordsError
from conformance.records.results import read_results
from conformance.report import history
from conformance.report.history import badge, safe_name, standings
from conformance.report.publish import publish as publish_run
from conformance.report.publish import refresh, write_site

CRASH = {"outcome": "crash", "message": "SIGSEGV"}
NOT_RUN = {"outcome": "not-run", "reason": "torch is not installed"}
UNSUPPORTED = {"outcome": "unsupported", "reason": "takes no weight"}


def publish(path: Path, site: Path) -> Any:
    return publish_run(path, site, {})


def declared(*cells: Any) -> list[Any]:
    """The implementations of some cells, with no more dtypes than they have."""
    dtypes: dict[str, list[str]] = {}
    for c in cells:
        dtypes.setdefault(c["implementation"], []).append(c["dtype"])
    return [
        entry | {"capabilities": entry["capabilities"] | {"dtypes": sorted(set(found))}}
        for name, found in dtypes.items()
        for entry in [implementation(name)]
    ]


def file(folder: Path, *cells: Any, day: int = 2, end: bool = True, **fields: Any) -> Path:
    """A results file of a run on some day."""
    moment = f"2026-01-{day:02}T03:04:05Z"
    cells = cells or (cell(), cell("gradient-formula"))
    named = {"run": f"{moment}-ab12cd", "started": moment}
    tail = [footer(*cells)] if end else []
    return write_lines(folder / "results.jsonl", head(*cells, **named | fields), *cells, *tail)


def head(*cells: Any, **fields: Any) -> Any:
    """The header of a run that asked no more than it has cells."""
    slugs = dict.fromkeys(c["property"] for c in cells)
    properties = [property_entry(slug, LEVEL[slug]) for slug in slugs]
    asked = {"implementations": declared(*cells), "properties": properties}
    return header(**asked | fields)


def state(site: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a site, and when it was written."""
    return {
        str(path.relative_to(site)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in site.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


# --- What is there afterwards --------------------------------------------------------------------


def test_a_run_is_published_with_all_that_belongs_to_it(tmp_path: Path, site: Path) -> None:
    results = file(tmp_path)
    done = publish(results, site)
    assert done.new
    name = "2026-01-02t030405z-ab12cd"
    assert done.page == site / "runs" / name / "index.html"
    assert set(state(site)) >= {
        *("index.html", "history.html", "latest/index.html", "badges/mylib.json"),
        *(f"runs/{name}/index.html", f"runs/{name}/results.jsonl.xz", f"history/{name}.json"),
    }
    kept = site / "runs" / name / "results.jsonl.xz"
    assert lzma.decompress(kept.read_bytes()) == results.read_bytes()
    assert read_results(kept) == read_results(results)
    assert "results.jsonl.xz" in Page(done.page.read_text()).all("href")
    assert not [path for path in state(site) if ".draft" in path]


@pytest.mark.parametrize("beside", ["results", "site"])
def test_the_kill_matrix_goes_with_the_run(tmp_path: Path, site: Path, beside: str) -> None:
    site.mkdir()
    folder = site if beside == "site" else tmp_path
    (folder / "kill-matrix.html").write_text("<p>who kills whom", "utf-8")
    done = publish(file(tmp_path), site)
    kept = done.page.with_name("kill-matrix.html")
    assert kept.read_text("utf-8") == "<p>who kills whom"
    assert "kill-matrix.html" in Page(done.page.read_text()).all("href")


def test_every_page_of_a_run_leads_back_to_all_runs(tmp_path: Path, site: Path) -> None:
    folder = publish(file(tmp_path), site).page.parent
    refresh(site)
    pages = [*folder.glob("*.html"), *folder.glob("implementations/*.html")]
    assert len(pages) == 3
    for page in pages:
        targets = [(page.parent / href).resolve() for href in Page(page.read_text()).all("href")]
        assert (site / "index.html").resolve() in targets, page


def test_publishing_the_same_run_twice_changes_nothing(tmp_path: Path, site: Path) -> None:
    publish(file(tmp_path), site)
    before = state(site)
    assert not publish(file(tmp_path), site).new
    assert state(site) == before


def test_what_is_published_is_never_changed(tmp_path: Path, site: Path) -> None:
    publish(file(tmp_path), site)
    before = state(site)
    with pytest.raises(RecordsError, match="never changed"):
        publish(file(tmp_path, cell()), site)
    assert state(site) == before


def test_the_index_has_the_newest_run_first_whenever_it_came(tmp_path: Path, site: Path) -> None:
    for day in (3, 9, 5):
        publish(file(tmp_path, day=day), site)
    links = [a for a in Page((site / "index.html").read_text()).all("href") if "index.html" in a]
    runs = list(dict.fromkeys(a for a in links if a.startswith("runs/")))
    assert [a[13:15] for a in runs] == ["09", "05", "03"]
    assert "runs/2026-01-09" in (site / "latest" / "index.html").read_text()


def test_what_changed_since_the_run_before_is_beside_it(tmp_path: Path, site: Path) -> None:
    publish(file(tmp_path, day=3), site)
    publish(file(tmp_path, cell(), cell("gradient-formula", **CRASH), day=4), site)
    publish(file(tmp_path, day=5, seed=7), site)
    assert not (site / "runs" / "2026-01-03t030405z-ab12cd" / "changes.html").exists()
    changes = (site / "runs" / "2026-01-04t030405z-ab12cd" / "changes.html").read_text()
    assert "1 cell broke" in changes
    assert not (site / "runs" / "2026-01-05t030405z-ab12cd" / "changes.html").exists()


def test_the_history_tells_each_version_and_run(tmp_path: Path, site: Path) -> None:
    publish(file(tmp_path, day=3), site)
    crashed = (cell(), cell("gradient-formula", **CRASH))
    newer = declared(*crashed)[0] | {"version": "1.3"}
    publish(file(tmp_path, *crashed, day=4, implementations=[newer]), site)
    words = Page((site / "history.html").read_text()).words
    text = " ".join(" ".join(words).split())
    assert text.index("mylib 1.3") < text.index("50 %") < text.index("mylib 1.2")
    assert "100 %" in text[text.index("mylib 1.2") :]


def test_an_implementation_keeps_its_badge_until_it_is_asked_again(
    tmp_path: Path, site: Path
) -> None:
    publish(file(tmp_path, cell(), cell(implementation="other"), day=3), site)
    publish(file(tmp_path, cell(**CRASH), cell("gradient-formula"), day=4), site)
    badges = {p.stem: json.loads(p.read_text())["message"] for p in (site / "badges").iterdir()}
    assert badges == {"mylib": "50% of 100% asked", "other": "100% of 100% asked"}


def test_every_page_is_static_whole_and_leads_somewhere(tmp_path: Path, site: Path) -> None:
    publish(file(tmp_path, day=3), site)
    publish(file(tmp_path, day=4), site)
    for path in (site / "index.html", site / "history.html", site / "latest" / "index.html"):
        page = Page(path.read_text())
        assert not list(page.all("src"))
        for address in page.all("href"):
            target, _, anchor = address.partition("#")
            if address.startswith("data:"):
                continue
            there = (path.parent / unquote(target)).resolve() if target else path
            assert there.is_file(), address
            if anchor:
                assert f'id="{anchor}"' in there.read_text()


def test_latest_leads_to_the_newest_page_of_each_name(tmp_path: Path, site: Path) -> None:
    for day, pages in ((3, ("a.html", "sub/b.html")), (4, ("a.html",))):
        publish(file(tmp_path, day=day), site)
        for name in pages:
            page = site / "runs" / f"2026-01-0{day}t030405z-ab12cd" / name
            page.parent.mkdir(exist_ok=True)
            page.write_text("<p>")
    write_site(site)
    assert "../runs/2026-01-04t030405z-ab12cd/a.html" in (site / "latest/a.html").read_text()
    stub = (site / "latest/sub/b.html").read_text()
    assert 'content="0; url=../../runs/2026-01-03t030405z-ab12cd/sub/b.html"' in stub


def test_names_from_outside_are_harmless(tmp_path: Path, site: Path) -> None:
    evil = "<script>alert(1)<\u2044script>\"'&#{{7*7}}"
    publish(file(tmp_path, cell(implementation=evil), cell(implementation="..")), site)
    inside = {path.parts[0] for path in map(Path, state(site))}
    assert inside == {"index.html", "history.html", "latest", "runs", "history", "badges"}
    for name in ("index.html", "history.html"):
        page = Page((site / name).read_text())
        assert [tag for tag, _ in page.elements].count("script") == 1
        assert evil in page.words


# --- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "fields", "why"),
    [
        ([cell()], {"end": False}, "truncated, without a footer"),
        ([], {}, "nothing was asked"),
        ([cell(**NOT_RUN), cell("gradient-formula", **UNSUPPORTED)], {}, "nothing was judged"),
        ([cell(**NOT_RUN), cell(implementation="other", **NOT_RUN)], {}, "torch is not installed"),
        ([cell(**CRASH), cell(implementation="other", **CRASH)], {}, "everything failed at once"),
        ([cell(**CRASH), cell("gradient-formula", **NOT_RUN)], {}, "SIGSEGV"),
        (
            [cell(outcome="fail", message="it is 0"), cell("offset", outcome="fail", message="0")],
            {},
            r"everything failed at once \(2 fail\).*: it is 0",
        ),
    ],
)
def test_what_is_no_evidence_is_refused(
    tmp_path: Path, site: Path, cells: list[Any], fields: Any, why: str
) -> None:
    end = [footer(*cells)] if fields.get("end", True) else []
    path = write_lines(tmp_path / "results.jsonl", head(*cells), *cells, *end)
    with pytest.raises(RecordsError, match=why) as refused:
        publish(path, site)
    assert refused.value.exit_code == 3
    assert "is not published" in str(refused.value)
    assert not site.exists()


def test_a_part_of_a_run_is_refused(tmp_path: Path, site: Path) -> None:
    asked = [cell()]
    path = file(tmp_path, *asked, implementations=[implementation()])
    with pytest.raises(RecordsError, match="mylib was not asked in float64"):
        publish(path, site)
    path = file(tmp_path, *asked)
    catalogue = {"0.1.0": ("loss-formula", "sums", "means")}
    with pytest.raises(RecordsError, match="2 of 3 properties are missing: sums and means"):
        publish_run(path, site, catalogue)
    assert not site.exists()
    assert publish_run(path, site, {"0.2.0": ("sums",)}).new


def test_one_broken_environment_does_not_keep_others_from_being_published(
    tmp_path: Path, site: Path
) -> None:
    cells = [cell(), cell(implementation="other", **CRASH), cell(implementation="third", **NOT_RUN)]
    done = publish(file(tmp_path, *cells), site)
    assert [warning.split(":")[0] for warning in done.warnings] == ["other", "third"]
    badges = {p.stem: json.loads(p.read_text()) for p in (site / "badges").iterdir()}
    assert (badges["other"]["message"], badges["other"]["color"]) == ("0% of 100% asked", "red")
    assert (badges["third"]["message"], badges["third"]["color"]) == ("not judged", "lightgrey")


def test_a_broken_brief_record_is_named(tmp_path: Path, site: Path) -> None:
    publish(file(tmp_path), site)
    brief = next((site / "history").iterdir())
    for content in ("{", '{"kind": "history"}', brief.read_text().replace("01-02", "01-03")):
        brief.write_text(content)
        with pytest.raises(RecordsError, match=r"history/2026-01-02t030405z-ab12cd\.json"):
            publish(file(tmp_path, day=4), site)


# --- A crash in the middle -----------------------------------------------------------------------


@pytest.mark.parametrize("after", range(14))
def test_a_crash_leaves_the_old_site_whole_and_the_next_attempt_completes_it(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    publish(file(tmp_path, day=3), site)
    old = state(site)
    new = file(tmp_path, day=4)
    left = iter(range(after))

    def limited(method: Any) -> Any:
        def step(self: Path, *arguments: Any, **keywords: Any) -> Any:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return method(self, *arguments, **keywords)

        return step

    with monkeypatch.context() as patch:
        for name in ("write_text", "write_bytes", "rename", "replace"):
            patch.setattr(Path, name, limited(getattr(Path, name)))
        with pytest.raises(KeyboardInterrupt):
            publish(new, site)
    for name, (content, _) in state(site).items():
        if name.endswith(".html") and ".draft" not in name and name.count("/") < 2:
            Page(content.decode())  # balanced, so whole
            for address in re.findall(rb'href="((?:\.\./)?runs/[^"]+)"', content):
                there = site / name / ".." / address.decode()
                assert there.resolve().is_file()
    for run in (site / "runs").glob("[!.]*"):
        assert (run / "index.html").is_file()
        Page((run / "index.html").read_text())
    untouched = {name: content for name, content in old.items() if name.startswith("runs/")}
    assert untouched.items() <= state(site).items()
    assert set(old) <= set(state(site))
    assert publish(new, site).page.is_file()
    whole = {name: content for name, (content, _) in state(site).items()}
    assert not [name for name in whole if ".draft" in name]
    assert whole == {name: content for name, (content, _) in state(fresh(tmp_path)).items()}


def fresh(tmp_path: Path) -> Path:
    """The same two runs, published without a hitch."""
    for day in (3, 4):
        folder = tmp_path / f"day{day}"
        folder.mkdir()
        publish(file(folder, day=day), tmp_path / "fresh")
    return tmp_path / "fresh"


# --- Names and badges ----------------------------------------------------------------------------


@given(st.lists(st.text(min_size=1, max_size=100), min_size=2, max_size=2, unique=True))
def test_names_are_safe_as_paths_and_never_become_one(names: list[str]) -> None:
    one, other = (safe_name(name) for name in names)
    assert one.lower() != other.lower()
    for name in (one, other):
        assert re.fullmatch(r"[a-z0-9][a-z0-9._~-]{0,80}", name)
        assert not name.endswith(".")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("torch-fused", "torch-fused"),
        ("2026-11-22T17:46:57Z-36122d", "2026-11-22t174657z-36122d"),
    ],
)
def test_plain_names_and_usual_runs_stay_readable(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    "name", ["..", ".", "con", "NUL", "aux.json", "Torch", "a/b", "2026-11-22t174657z-36122d", "a."]
)
def test_unusual_names_get_a_hash(name: str) -> None:
    assert re.search(r"~[0-9a-f]{10}$", safe_name(name))


def standing(*counts: int, **unexpected: int) -> Any:
    passed, judged, applicable = counts
    numbers = {"passed": passed, "judged": judged, "applicable": applicable}
    found = {"name": "x", "device": "cpu", "distribution": None, "version": None}
    return {**found, **numbers, "known": judged - passed, "unexpected": unexpected}


@pytest.mark.parametrize(
    ("found", "message", "colour"),
    [
        ([standing(98, 100, 107)], "98% of 93% asked", "yellow"),
        ([standing(100, 100, 100)], "100% of 100% asked", "brightgreen"),
        ([standing(50, 50, 100)], "100% of 50% asked", "brightgreen"),
        ([standing(9999, 10000, 10000)], "99% of 100% asked", "yellow"),
        ([standing(9, 10, 10, should=1)], "90% of 100% asked", "orange"),
        ([standing(9, 10, 10, should=1, must=1)], "90% of 100% asked", "red"),
        ([standing(9, 10, 10, must=1), standing(10, 10, 10)], "95% of 100% asked", "red"),
        ([standing(10, 10, 10, behaviour=1)], "100% of 100% asked", "red"),
        ([standing(0, 0, 10)], "not judged", "lightgrey"),
    ],
)
def test_a_badge_says_the_score_with_the_coverage(
    found: list[Any], message: str, colour: str
) -> None:
    record = badge(standings({"implementations": found}))
    assert record == {
        "schemaVersion": 1,
        "label": "cross-entropy conformance",
        "message": message,
        "color": colour,
    }


def test_the_brief_record_meets_its_schema(tmp_path: Path, site: Path) -> None:
    publish(file(tmp_path), site)
    (record,) = history.read(site / "history")
    assert record["implementations"][0]["passed"] == 2
