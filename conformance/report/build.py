"""Records in, a folder of static pages out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from conformance.errors import UsageError
from conformance.report import accuracy, findings, lesson, matrix, verdict, witness
from conformance.report.causes import causes
from conformance.report.disagreement import disagreements, shared
from conformance.report.glossary import GLOSSARY, explained
from conformance.report.guidance import choices
from conformance.report.harm import worst_finding
from conformance.report.pages import TEMPLATES, new_environment, put
from conformance.report.run import Column, Run, arrange
from conformance.report.site import (
    FINDINGS,
    FOLDER,
    INDEX,
    KILL_MATRIX,
    LESSON,
    RECORDS,
    Place,
    anchor,
    page_of,
)
from conformance.report.status import STATUSES, WORST_FIRST
from conformance.report.text import said

GENERATOR = "cross-entropy-conformance report"
"""How a page says that it is one of ours: an older one may be removed, no other file is."""


def build_report(records: Iterable[Mapping[str, Any]], folder: Path, *, site: str = "") -> Path:
    """Write the report of the records of one run into ``folder``; return its ``index.html``.

    Beside it: a page for each implementation under ``implementations/``, and one on the steps of
    the loss.  The records (header, cells, curves, and the footer of a complete run) are taken as
    valid.  Each page loads nothing, and is replaced in one step.  Where the folder has the records
    and a kill matrix, the pages link to them; and to the page that explains findings, which may
    also lie beside the index of runs.  Pages of an earlier report about implementations that are no
    longer there are removed.  ``site``: the address, from ``folder``, of an index of runs that they
    lead back to.
    ``UsageError`` where a file cannot be written.
    """
    there = [name for name in (KILL_MATRIX, *RECORDS) if (folder / name).exists()]
    near = [FINDINGS, str(PurePosixPath(site).with_name(FINDINGS))] if site else [FINDINGS]
    prose = next((address for address in near if (folder / address).exists()), "")
    pages = render(arrange(records), there=there, site=site, prose=prose)
    try:
        _write(pages, folder)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: the report cannot be written there: {error.strerror}; "
            "choose another folder, or make room in this one"
        ) from None
    return folder / INDEX


def _write(pages: Iterable[tuple[str, str]], folder: Path) -> None:
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    written = set()
    for name, page in pages:
        put(folder / name, page)
        written.add(folder / name)
    for old in (folder / FOLDER).glob("*.html"):
        if old not in written and _is_ours(old):
            old.unlink()


def render(
    run: Run, *, there: Collection[str] = (), site: str = "", prose: str = ""
) -> Iterator[tuple[str, str]]:
    """The pages of a run: (path in the folder, text).

    ``there``: which of the kill matrix and the files of records lie beside them.  ``site`` and
    ``prose``: the addresses of an index of runs and of the page that explains findings.
    """
    environment = _environment()
    environment.globals["records"] = next((name for name in RECORDS if name in there), "")
    environment.globals["site"] = site
    environment.globals["prose"] = prose

    def page(template: str, path: str, /, **more: Any) -> tuple[str, str]:
        here = Place(path)
        found = environment.get_template(template).render(run=run, here=here, **more)
        return path, _squeezed(found)

    yield page(
        "index.html.j2",
        INDEX,
        disagreements=disagreements(run),
        causes=causes(run.cells),
        choices=choices(run),
        answers=findings.behaviours(run),
        overview=accuracy.overview(run),
        kill_matrix=KILL_MATRIX if KILL_MATRIX in there else "",
    )
    ways = lesson.ways(run)
    yield page(
        "lesson.html.j2",
        LESSON,
        example=lesson.worked_example(run),
        panels=lesson.curve_panels(run, ways),
        ways=ways,
        departures=lesson.departures(run),
    )
    for name, columns in _implementations(run).items():
        yield page(
            "implementation.html.j2",
            page_of(columns[0]),
            name=name,
            sheets=[findings.sheet(run, column) for column in columns],
            cells=[cell for column in columns for cell in run.of(column)],
        )


def _implementations(run: Run) -> dict[str, list[Column]]:
    """The columns of each implementation, one a device."""
    found: dict[str, list[Column]] = {}
    for column in run.columns:
        found.setdefault(column.name, []).append(column)
    return found


def _is_ours(page: Path) -> bool:
    with page.open(encoding="utf-8", errors="replace") as file:
        return f'name="generator" content="{GENERATOR}"' in file.read(1000)


def _environment() -> Environment:
    environment = new_environment()
    environment.filters["explained"] = explained
    environment.filters["said"] = _said
    environment.globals.update(
        accuracy=accuracy,
        anchor=anchor,
        causes_of=causes,
        expected_of=findings.expected_of,
        generator=GENERATOR,
        glossary=GLOSSARY,
        in_words=matrix.in_words,
        marks=matrix.marks,
        own_panels=lesson.own_panels,
        shared=shared,
        square=matrix.square,
        statuses=STATUSES,
        strip=findings.strip,
        style=_source("report.css"),
        script=_source("common.js") + _source("report.js"),
        verdict=verdict,
        witness=witness,
        worst_finding=worst_finding,
        worst_first=WORST_FIRST,
    )
    return environment


@pass_context
def _said(context: Context, text: str) -> Markup:
    """A text with its links; those to the page that explains findings as they are from here."""
    prose = context["prose"]
    return said(text, context["here"].to(prose) if prose else "")


def _source(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _squeezed(page: str) -> str:
    """The page without indentation, but for what is preformatted."""
    parts = re.split(r"(<(pre|script|style)\b.*?</\2>)", page, flags=re.DOTALL)
    kept, matched = parts[0::3], parts[1::3]
    kept = [re.sub(r"\s*\n\s*", "\n", part) for part in kept]
    return "".join(a + b for a, b in zip(kept, [*matched, ""], strict=True))
