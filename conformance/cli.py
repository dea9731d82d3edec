"""The command line: ``conformance run``, and what is done with its records."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from conformance.contract.capabilities import did_you_mean
from conformance.contract.discovery import Found, find
from conformance.errors import ConformanceError, RecordsError, UsageError
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.properties.property import LEVELS, Property
from conformance.records.known import (
    Expectation,
    expectations_from,
    known_path,
    load_known,
    merge,
    over_all_properties,
    save_known,
    without_stale,
)
from conformance.records.replay_script import replay_script
from conformance.records.results import Cell, read_results
from conformance.records.schema import Record, parse, read_text
from conformance.records.witness import check_witness, read_witness
from conformance.report.build import build_report
from conformance.running.profiles import PROFILES
from conformance.running.progress import watched
from conformance.running.region import read_region, within
from conformance.running.replay import replay as ask_again
from conformance.running.runner import Plan
from conformance.running.runner import run as run_plan
from conformance.running.summary import exit_code, print_summary
from conformance.spec.formats import FORMATS
from conformance.version import __version__

INTERRUPTED = 130


class _Commands(click.Group):
    """Commands whose ``ConformanceError`` is a message and an exit code, never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ConformanceError as error:
            click.echo(f"Error: {error}", err=True)
            raise click.exceptions.Exit(error.exit_code) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="conformance")
def main() -> None:
    """Is a cross-entropy loss right, everywhere it says it works?

    \b
    Exit codes: 0 no unexpected failure; 1 an unexpected failure; 2 usage;
    3 an adapter or the environment is broken, or a must property could not run.
    """


_targets = click.argument("targets", nargs=-1, metavar="[TARGET]...")
_device = click.option("--device", default="cpu", show_default=True, help="Where to ask.")
_results = click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS")
_adapters = click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="TARGET",
    help="Where the implementation is, if it is not installed: path/file.py.  Repeatable.",
)


@main.command()
@_targets
@_device
@click.option(
    "--dtype", "dtypes", multiple=True, type=click.Choice(list(FORMATS)), help="Repeatable."
)
@click.option("--property", "slugs", multiple=True, metavar="SLUG", help="Repeatable.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="standard",
    show_default=True,
    help="How hard to look.",
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True)
@click.option(
    "--level",
    type=click.Choice(["must", "should"]),
    default="should",
    show_default=True,
    help="The weakest level that counts for the exit code.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Side by side."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("reports/latest"),
    show_default=True,
    help="Folder for results.jsonl, index.html and its pages.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For one cell.  [default: 60, and 1 for each example searched]",
)
def run(
    targets: tuple[str, ...],
    device: str,
    dtypes: tuple[str, ...],
    slugs: tuple[str, ...],
    profile: str,
    seed: int,
    level: str,
    workers: int,
    output: Path,
    timeout: float | None,
) -> None:
    """Judge implementations: all that are installed, or each TARGET.

    A TARGET is the name of an installed implementation, path/file.py, path/file.py:attribute or
    package.module:attribute.
    """
    plan = Plan(
        found=_runnable(targets),
        properties=_properties(slugs),
        device=device,
        dtypes=tuple(dict.fromkeys(dtypes)),
        profile=profile,
        seed=seed,
        workers=workers,
        timeout=timeout or 60 + PROFILES[profile].searched,
    )
    path = _writable(output) / "results.jsonl"
    console = _console()
    try:
        with watched(console, len(plan.found)) as listener:
            run_plan(plan, path, listener)
    except KeyboardInterrupt:
        cells = len(read_results(path).cells) if path.exists() else 0
        click.echo(f"Interrupted: {path} is truncated, with {cells} cells and no footer.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    results = read_results(path, strict=True)
    levels = ("must",) if level == "must" else ("must", "should")
    adapters = {item.name: item.target for item in plan.found if item.target != item.name}
    print_summary(results, console, path, levels, adapters)
    click.echo(path)
    click.echo(build_report(results.records(), output))
    raise click.exceptions.Exit(exit_code(results, levels))


def _runnable(targets: tuple[str, ...]) -> list[Found]:
    """What the targets name; without any, all that can run here."""
    found = find(targets)
    if not targets:
        missing = [item.name for item in found if item.unavailable]
        found = [item for item in found if not item.unavailable]
        if missing:
            click.echo(f"Not installed, so not asked: {', '.join(missing)}", err=True)
    if not found:
        raise UsageError("no implementation can run here: `conformance list` says what is missing")
    return found


def _properties(slugs: tuple[str, ...]) -> tuple[Property, ...]:
    for slug in slugs:
        if slug not in BY_SLUG:
            raise UsageError(
                f"there is no property {slug!r}{did_you_mean(slug, BY_SLUG)}; "
                "`conformance list properties` has all"
            )
    return tuple(p for p in PROPERTIES if not slugs or p.slug in slugs)


def _writable(folder: Path) -> Path:
    """The folder, made if need be, once it is known that files can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UsageError(
            f"--output {folder}: cannot be written: {error.strerror}; name another folder"
        ) from None
    return folder


def _console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for a log."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=500)


# --- What there is -------------------------------------------------------------------------------


@main.command("list")
@click.argument(
    "what", type=click.Choice(["implementations", "properties"]), default="implementations"
)
def list_(what: str) -> None:
    """Name the implementations that are installed, or all properties."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    if what == "properties":
        for heading in ("property", "level", "family"):
            table.add_column(heading, no_wrap=True)
        table.add_column("statement")
        for prop in sorted(PROPERTIES, key=lambda p: list(LEVELS).index(p.level)):
            table.add_row(prop.slug, prop.level, prop.family, prop.statement)
    else:
        for heading in ("implementation", "framework"):
            table.add_column(heading, no_wrap=True)
        table.add_column("can run here")
        for item in find():
            table.add_row(item.name, item.framework, item.unavailable or "yes")
    _console().print(table, markup=False)


@main.command()
@_targets
@_device
def smoke(targets: tuple[str, ...], device: str) -> None:
    """Ask the plainest questions: is an adapter fit to be judged?"""
    problems: dict[str, str] = {}

    class Listener:
        def begins(self, implementation: str, cells: int) -> None: ...
        def judged(self, cell: Cell) -> None: ...
        def ends(self, implementation: str, problem: str | None) -> None:
            if problem:
                problems[implementation] = problem
            click.echo(f"{implementation}: {problem or 'fit to be judged'}")

    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        plan = Plan(_runnable(targets), properties=(), device=device)
        run_plan(plan, Path(folder) / "results.jsonl", Listener())
    raise click.exceptions.Exit(3 if problems else 0)


# --- What is done with records -------------------------------------------------------------------


@main.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="WITNESS_OR_RESULTS")
@click.option("--cell", "cell_id", metavar="ID", help="Which failure of a results file.")
@click.option("--script", is_flag=True, help="Print a script that needs no suite to reproduce it.")
@_adapters
def replay(file: Path, cell_id: str | None, script: bool, adapters: tuple[str, ...]) -> None:
    """Ask a failing case again, bit for bit.

    Exits with 0 where the property now holds, 1 where it still fails.
    """
    witness, source = _witness(file, cell_id)
    name = str(witness["implementation"])
    if not script:
        target = _adapter_of(name, adapters).target
        raise click.exceptions.Exit(ask_again(witness, target))
    if source is None or adapters:
        source = read_text(_adapter_of(name, adapters).path)
    click.echo(replay_script(witness, source), nl=False)


def _witness(file: Path, cell_id: str | None) -> tuple[Record, str | None]:
    """The witness in a file, and its adapter's source where the file has that."""
    if _kind(file) == "witness":
        return read_witness(file), None
    results = read_results(file)
    kept = {cell["id"]: cell["witness"] for cell in results.cells if cell["witness"]}
    if cell_id is None and len(kept) == 1:
        cell_id = next(iter(kept))
    if cell_id is None:
        some = "\n".join(f"  --cell {id}" for id in list(kept)[:10])
        many = f"; say which, of {len(kept)}:\n{some}" if kept else ""
        raise UsageError(f"{file} has {len(kept)} failing cases{many}")
    witness = kept.get(cell_id)
    if witness is None:
        raise UsageError(f"{file} has no failing case {cell_id}{did_you_mean(cell_id, kept)}")
    entries = {entry["name"]: entry for entry in results.header["implementations"]}
    return check_witness(witness, cell_id), entries[witness["implementation"]]["adapter"]


@main.command()
@_results
@click.option(
    "--output", type=click.Path(path_type=Path), help="Folder.  [default: that of RESULTS]"
)
def report(results: Path, output: Path | None) -> None:
    """Make the pages of a results file."""
    content = read_results(results)
    if not content.complete:
        click.echo(f"{results} is truncated: no footer; the page will say so.", err=True)
    click.echo(build_report(content.records(), _writable(output or results.parent)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def validate(file: Path) -> None:
    """Check a results file, a witness or a known-failures file."""
    match _kind(file):
        case "witness":
            witness = read_witness(file)
            click.echo(f"{file}: a witness of {witness['implementation']}, {witness['property']}")
        case "known":
            click.echo(f"{file}: {len(load_known(file))} known failures")
        case _:
            results = read_results(file, strict=True)
            click.echo(f"{file}: complete, {len(results.cells)} cells")


def _kind(file: Path) -> str:
    """What a file holds: witness, known or results.  The reader of that kind judges it."""
    try:
        content = parse(read_text(file), str(file))
    except RecordsError:
        return "results"
    if not isinstance(content, dict) or "kind" not in content or "case" in content:
        return "known" if isinstance(content, dict) and "expectations" in content else "witness"
    return "results"


@main.group(cls=_Commands)
def known() -> None:
    """Keep the known failures beside an adapter up to date."""


@known.command()
@_results
@click.option("--reason", required=True, help="Why it fails, and why that is accepted.")
@click.option("--link", help="An issue that says more.")
@click.option("--implementation", "names", multiple=True, metavar="NAME", help="Only this one.")
@click.option("--property", "slugs", multiple=True, metavar="SLUG", help="Only this one.")
@click.option("--dtype", "dtypes", multiple=True, type=click.Choice(list(FORMATS)), help="Only it.")
@click.option(
    "--when",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="The region that the reason speaks of: 'max_loss > 9.7', 'weight = true'.  Repeatable.",
)
@click.option(
    "--every-property",
    is_flag=True,
    help="Expect it of every property whose case lies in the region.  Needs --when.",
)
@_adapters
def add(
    results: Path,
    reason: str,
    link: str | None,
    names: tuple[str, ...],
    slugs: tuple[str, ...],
    dtypes: tuple[str, ...],
    conditions: tuple[str, ...],
    every_property: bool,
    adapters: tuple[str, ...],
) -> None:
    """Expect the unexpected failures in RESULTS from now on.

    With --when only those whose witness lies in the region.
    """
    if every_property and not conditions:
        raise UsageError("--every-property needs --when: in which region does everything fail?")
    content = read_results(results)
    _require("implementation", names, [e["name"] for e in content.header["implementations"]])
    _require("property", slugs, [e["slug"] for e in content.header["properties"]])
    chosen = [
        cell
        for cell in content.cells
        if (not names or cell["implementation"] in names)
        and (not slugs or cell["property"] in slugs)
        and (not dtypes or cell["dtype"] in dtypes)
    ]
    region = read_region(conditions)
    new = expectations_from(
        replace(content, cells=tuple(chosen)), reason=reason, link=link, region=region
    )
    new = within(new) if region else new
    if not new:
        raise UsageError(f"{results} has no such unexpected failure")
    if every_property:
        new = over_all_properties(new)
    for path, expectations in _by_file(new, adapters).items():
        save_known(path, merge(load_known(path), expectations))
        click.echo(f"{path}: {len(expectations)} added")


@known.command()
@_results
@_adapters
def prune(results: Path, adapters: tuple[str, ...]) -> None:
    """Remove the expectations that RESULTS found stale."""
    content = read_results(results)
    stale = {c["implementation"] for c in content.cells if c["expectation"] == "stale"}
    for path in {known_path(_adapter_of(name, adapters).path) for name in sorted(stale)}:
        kept, gone = without_stale(load_known(path), content)
        save_known(path, kept)
        click.echo(f"{path}: {gone} stale cells settled, {len(kept)} expectations left")
    if not stale:
        click.echo(f"{results}: nothing is stale")


def _require(what: str, names: Sequence[str], there: Sequence[str]) -> None:
    for name in names:
        if name not in there:
            raise UsageError(f"the results have no {what} {name!r}{did_you_mean(name, there)}")


def _by_file(
    expectations: Iterable[Expectation], adapters: tuple[str, ...]
) -> dict[Path, list[Expectation]]:
    files: dict[Path, list[Expectation]] = {}
    for expectation in expectations:
        path = known_path(_adapter_of(expectation.implementation, adapters).path)
        files.setdefault(path, []).append(expectation)
    return files


def _adapter_of(name: str, adapters: tuple[str, ...]) -> Found:
    """Where an implementation is: among ``--adapter``, or the installed ones."""
    for targets in (adapters, ()) if adapters else ((),):  # the installed ones last, if need be
        for item in find(targets):
            if item.name == name:
                return item
    raise UsageError(f"where is {name!r}?  It is not installed: say --adapter path/file.py")
