"""Records in, one self-contained page out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.report import accuracy, charts, findings, lesson, text, verdict, witness
from conformance.report.disagreement import disagreements
from conformance.report.run import Run, arrange
from conformance.report.status import STATUSES

TEMPLATES = Path(__file__).parent / "templates"

KILL_MATRIX = "kill-matrix.html"
"""The proof, made by the suite's own tests, that each property can fail."""


def build_report(records: Iterable[Mapping[str, Any]], folder: Path) -> Path:
    """Write ``folder/index.html``, the report of the records of one run, and return its path.

    The records (header, cells, curves, and the footer of a complete run) are taken as valid.  The
    page needs nothing but itself: no network, no script, no other file.  Where the folder has a
    kill matrix, the page links to it.
    """
    proved = (folder / KILL_MATRIX).exists()
    page = render(arrange(records), kill_matrix=KILL_MATRIX if proved else "")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def render(run: Run, *, kill_matrix: str = "") -> str:
    """The page of a run.  ``kill_matrix``: where the page of that name is, if anywhere."""
    anchors = text.Anchors()
    environment = _environment()
    environment.globals.update(
        anchor=anchors.of,
        href=lambda *names: "#" + quote(anchors.of(*names), safe="/~"),
        style=_source("report.css"),
        script=_source("report.js"),
    )
    page = environment.get_template("report.html.j2").render(
        run=run,
        statuses=STATUSES,
        verdict=verdict,
        accuracy=accuracy,
        charts=charts,
        witness=witness,
        disagreements=disagreements(run),
        findings=findings.by_implementation(run),
        answers=findings.behaviours(run),
        unjudged=findings.unjudged,
        strip=findings.strip,
        example=lesson.worked_example(run),
        panels=lesson.curve_panels(run),
        departures=lesson.departures(run),
        overview=accuracy.overview(run),
        kill_matrix=kill_matrix,
    )
    return _squeezed(page)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: text.visible(value) if isinstance(value, str) else value,
    )
    environment.filters.update(
        clip=text.clip,
        counted=text.counted,
        link=text.link,
        listed=text.listed,
        number=text.number,
        seconds=text.seconds,
        share=text.share,
        spelled=text.spelled,
    )
    return environment


def _source(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _squeezed(page: str) -> str:
    """The page without indentation, but for what is preformatted."""
    parts = re.split(r"(<(pre|script|style)\b.*?</\2>)", page, flags=re.DOTALL)
    kept, matched = parts[0::3], parts[1::3]
    kept = [re.sub(r"\s*\n\s*", "\n", part) for part in kept]
    return "".join(a + b for a, b in zip(kept, [*matched, ""], strict=True))
