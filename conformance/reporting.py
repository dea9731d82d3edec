"""The commands that tell of runs: what changed, what is published, what CI reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click
from rich.console import Console

from conformance.errors import RecordsError, UsageError
from conformance.properties import BY_SLUG
from conformance.records.diff import diff as difference
from conformance.records.results import VERDICT_LEVELS, Results, read_results
from conformance.records.schema import to_json
from conformance.report.changes import render
from conformance.report.junit import junit
from conformance.report.markdown import LARGEST, summary
from conformance.report.publish import publish as publish_run
from conformance.report.terminal import print_diff
from conformance.version import __version__

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)


def ci_options(command: _Command) -> _Command:
    """The options of a command that also writes what CI reads."""
    with_junit = click.option("--junit", type=_FILE, metavar="FILE", help="JUnit XML, too.")
    with_summary = click.option(
        "--summary", type=_FILE, metavar="FILE", help="A job summary in Markdown, too."
    )
    return with_junit(with_summary(command))


def check_ci_files(*files: Path | None) -> None:
    """Raise ``UsageError`` for a file that cannot be written: before a run, not after it."""
    for file in filter(None, files):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.open("a").close()
        except OSError as error:
            raise UsageError(f"{file}: cannot be written: {error.strerror}") from None


def write_ci_files(
    results: Results,
    path: Path,
    *,
    junit_file: Path | None,
    summary_file: Path | None,
    levels: Sequence[str] = VERDICT_LEVELS,
    adapters: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write what CI reads of the results in ``path``; ``RecordsError`` where that cannot be.

    The summary of a step on GitHub is appended to, as others may have written there.
    """
    if junit_file:
        _write(junit_file, junit(results, levels))
    if summary_file:
        ours = os.environ.get("GITHUB_STEP_SUMMARY") == str(summary_file)
        mode, there = ("a", summary_file.stat().st_size) if ours else ("w", 0)
        _write(summary_file, summary(results, path, levels, adapters, room=LARGEST - there), mode)


def _write(file: Path, text: str, mode: str = "w") -> None:
    try:
        with file.open(mode, encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise RecordsError(f"{file}: cannot be written: {error.strerror}") from None


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
    check_ci_files(html)
    old, new = (read_results(file, strict=True) for file in (before, after))
    found = difference(old, new)
    if as_json:
        click.echo(to_json(found.to_record(), indent=1))
    else:
        console = Console(highlight=False)
        wide = console if console.is_terminal else Console(highlight=False, width=500)
        print_diff(found, wide)
    if html:
        _write(html, render(found))
    raise click.exceptions.Exit(1 if found.broke else 0)


@click.command()
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS")
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports/published"),
    show_default=True,
    metavar="DIR",
    help="Folder of the site; made if need be.",
)
def publish(results: Path, site: Path) -> None:
    """Add a run to a site of static files: its report, an index, a history, badges.

    Refuses, with 3, what is no evidence: a truncated file, a part of the properties or dtypes, and
    a run in which nothing was judged or nothing passed, as happens in a broken environment.
    """
    done = publish_run(results, site, {__version__: tuple(BY_SLUG)})
    for warning in done.warnings:
        click.echo(f"Warning: {warning}", err=True)
    if not done.new:
        click.echo("This run was published before; nothing is new.", err=True)
    click.echo(done.page)
    click.echo(done.index)
