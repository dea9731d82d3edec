"""The commands that tell of runs: what changed, what is published, what CI reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click

from conformance.commands.command import console
from conformance.errors import StorageError, UsageError
from conformance.properties import BY_SLUG
from conformance.records.diff import diff as difference
from conformance.records.results import VERDICT_LEVELS, Results, read_results
from conformance.records.schema import to_json
from conformance.records.visible import visible
from conformance.report.changes import render
from conformance.report.junit import junit
from conformance.report.markdown import LARGEST, summary
from conformance.report.prose import Prose, read_prose, write_prose
from conformance.report.publish import publish as publish_run
from conformance.report.publish import refresh
from conformance.report.terminal import print_diff
from conformance.report.text import counted
from conformance.report.witnesses import seen_in
from conformance.version import __version__

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)

findings_option = click.option(
    "--findings",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, readable=True),
    metavar="FILE",
    help="Markdown that explains findings; a reason that names docs/findings.md leads to its page.",
)


def ci_options(command: _Command) -> _Command:
    """The options of a command that also writes what CI reads."""
    with_junit = click.option("--junit", type=_FILE, metavar="FILE", help="JUnit XML, too.")
    with_summary = click.option(
        "--summary", type=_FILE, metavar="FILE", help="A job summary in Markdown, too."
    )
    return with_junit(with_summary(command))


@dataclass(frozen=True)
class CIFiles:
    """What CI reads of a run, where it is asked for."""

    junit: Path | None
    summary: Path | None

    @classmethod
    def prepared(cls, junit: Path | None, summary: Path | None) -> CIFiles:
        """The files, once it is known that they can be written.

        What an earlier run left there is removed: whatever happens now, nobody takes that for this
        run's.  ``UsageError`` where a file cannot be written.
        """
        for file in filter(None, (junit, summary)):
            _prepare(file)
        return cls(junit, summary)

    def write(
        self,
        results: Results,
        path: Path,
        levels: Sequence[str] = VERDICT_LEVELS,
        adapters: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write of the results in ``path`` what CI reads; ``StorageError`` where that fails."""
        if self.junit:
            _write(self.junit, junit(results, levels))
        if self.summary:
            there = self.summary.stat().st_size if self.summary.exists() else 0
            text = summary(results, path, levels, adapters, room=LARGEST - there)
            _write(self.summary, text, "a")


def _prepare(file: Path) -> None:
    """What others wrote in the summary of a step on GitHub is kept."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("a").close()
        if os.environ.get("GITHUB_STEP_SUMMARY") != str(file):
            file.unlink()
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from None


def explain(prose: Prose, results: Results, folder: Path) -> None:
    """Put the page that explains findings beside a report; ``StorageError`` where that fails."""
    try:
        write_prose(prose, folder, back="the report", seen=seen_in(results.records()))
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written: {error.strerror or error}") from None


def _write(file: Path, text: str, mode: str = "w") -> None:
    try:
        with file.open(mode, encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise StorageError(f"{file}: cannot be written: {error.strerror}") from None


@click.command()
@click.argument("before", type=click.Path(path_type=Path), metavar="BEFORE")
@click.argument("after", type=click.Path(path_type=Path), metavar="AFTER")
@click.option("--html", type=_FILE, metavar="FILE", help="A page of it, too.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff(before: Path, after: Path, html: Path | None, as_json: bool) -> None:
    """What changed between two results files.

    Exits with 0 where nothing broke, 1 where something did: it fails as nobody expected and did not
    before, or it passed, and now fails or could not be asked.
    """
    if html:
        _prepare(html)
    old, new = (read_results(file, strict=True) for file in (before, after))
    found = difference(old, new)
    if as_json:
        click.echo(to_json(found.to_record(), indent=1))
    else:
        print_diff(found, console())
    if html:
        _write(html, render(found))
    raise click.exceptions.Exit(1 if found.broke else 0)


@click.command()
@click.argument("results", type=click.Path(path_type=Path), metavar="[RESULTS]", required=False)
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports/published"),
    show_default=True,
    metavar="DIR",
    help="Folder of the site; made if need be.",
)
@findings_option
def publish(results: Path | None, site: Path, findings: Path | None) -> None:
    """Add a run to a site of static files: its report, its records, an index, a history, badges.

    Without RESULTS, makes every page of the site anew from the records of its runs.

    Refuses, with 3, what is no evidence: a truncated file, a part of the properties or dtypes, and
    a run in which nothing was judged or nothing passed, as happens in a broken environment.
    """
    prose = read_prose(findings) if findings else None
    if results is None:
        anew = refresh(site, prose)
        _warn(anew.warnings)
        click.echo(f"All pages of {counted(anew.runs, 'run')} are made anew.", err=True)
        click.echo(anew.index)
        return
    done = publish_run(results, site, {__version__: tuple(BY_SLUG)}, prose)
    _warn(done.warnings)
    if not done.new:
        click.echo("This run was published before; nothing is new.", err=True)
    click.echo(done.page)
    click.echo(done.index)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.echo(f"Warning: {visible(warning)}", err=True)
