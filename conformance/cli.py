"""The command line: ``conformance run``, and what is done with its records."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from rich.table import Table

from conformance.commands.command import (
    Commands,
    adapter_of,
    adapters_option,
    console,
    results_argument,
    writable,
)
from conformance.commands.files import kind_of, witness_in
from conformance.commands.known import known
from conformance.commands.progress import watched
from conformance.commands.replay import TIMEOUT
from conformance.commands.replay import replay as ask_again
from conformance.commands.summary import exit_code, print_summary
from conformance.contract.capabilities import did_you_mean
from conformance.contract.discovery import Found, find
from conformance.errors import StorageError, UsageError
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.properties.property import LEVELS, Property
from conformance.records.brief import read_brief
from conformance.records.known import load_known
from conformance.records.merge import merge as merge_results
from conformance.records.replay_script import replay_script
from conformance.records.results import Cell, Results, glance, read_results
from conformance.records.schema import read_text
from conformance.records.visible import visible
from conformance.records.witness import read_witness
from conformance.records.writer import claimed, write_results
from conformance.report.build import build_report
from conformance.report.prose import read_prose
from conformance.reporting import CIFiles, ci_options, diff, explain, findings_option, publish
from conformance.running.interrupt import Interrupted
from conformance.running.resume import begin, take_up
from conformance.running.runner import Plan
from conformance.running.runner import run as run_plan
from conformance.running.shard import read_shard
from conformance.spec.formats import FORMATS
from conformance.version import __version__


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="conformance")
def main() -> None:
    """Is a cross-entropy loss right, everywhere it says it works?

    \b
    Exit codes: 0 no unexpected failure; 1 an unexpected failure; 2 usage;
    3 an adapter or the environment is broken, or a must property could not run.
    """


_targets = click.argument("targets", nargs=-1, metavar="[TARGET]...")
_spared = click.option(
    "--except", "spared", multiple=True, metavar="NAME", help="Not this one.  Repeatable."
)
_level = click.option(
    "--level",
    type=click.Choice(["must", "should"]),
    default="should",
    show_default=True,
    help="The weakest level that counts for the exit code.",
)
_output = click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("reports/latest"),
    show_default=True,
    help="Folder for results.jsonl, index.html and its pages.",
)
_device = click.option("--device", default="cpu", show_default=True, help="Where to ask.")


@main.command()
@_targets
@_spared
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
@_level
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Side by side."
)
@_output
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For one cell.  [default: 120, and 1 for each example searched]",
)
@click.option(
    "--call-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="For one call of an implementation.",
)
@click.option(
    "--memory",
    type=click.FloatRange(min=0, min_open=True),
    metavar="GIB",
    help="For one worker and all that it starts.  [default: its share of 3/4 of the machine's]",
)
@click.option(
    "--shard",
    default="1/1",
    metavar="K/N",
    help="Ask only the K-th of N parts, of about the same cost; `merge` puts them together.",
)
@click.option("--resume", is_flag=True, help="Go on with the interrupted run in --output.")
@ci_options
def run(
    targets: tuple[str, ...],
    spared: tuple[str, ...],
    device: str,
    dtypes: tuple[str, ...],
    slugs: tuple[str, ...],
    profile: str,
    seed: int,
    level: str,
    workers: int,
    output: Path,
    timeout: float | None,
    call_timeout: float,
    memory: float | None,
    shard: str,
    resume: bool,
    junit: Path | None,
    summary: Path | None,
) -> None:
    """Judge implementations: all that are installed, or each TARGET.

    A TARGET is the name of an installed implementation, path/file.py, path/file.py:attribute,
    package.module:attribute or proc:COMMAND, a program that speaks the protocol (docs/protocol.md).
    """
    plan = Plan(
        found=_runnable(targets, spared),
        properties=_properties(slugs),
        device=device,
        dtypes=tuple(dict.fromkeys(dtypes)),
        profile=profile,
        seed=seed,
        workers=workers,
        timeout=timeout or 120 + PROFILES[profile].searched,
        call_timeout=call_timeout,
        memory=memory,
        shard=read_shard(shard),
    )
    path = writable(output) / "results.jsonl"
    files = CIFiles.prepared(junit, summary)
    with claimed(output):
        kept = take_up(plan, path) if resume else begin(plan)
        with _told(path, kept.header["run"]):
            if kept.complete:
                click.echo(f"{path} is complete: nothing is missing.")
            else:
                with watched(console(), len(plan.found)) as listener:
                    run_plan(plan, path, listener, kept)
            adapters = {item.name: item.target for item in plan.found if item.target != item.name}
            _end(path, level, adapters, files)


@contextmanager
def _told(path: Path, run: str) -> Iterator[None]:
    """Say what is on disk where a run does not come to its end."""
    try:
        yield
    except (Interrupted, StorageError) as error:
        there, cells, complete = glance(path)
        state = f"{path} is truncated, with {cells} cells and no footer: --resume runs the rest"
        if there != run:
            state = "nothing was written"
        elif complete:
            state = f"{path} is complete: `conformance report {path}` makes its page"
        what = f"Error: {error}" if isinstance(error, StorageError) else "Interrupted"
        click.echo(f"{what}; {state}.", err=True)
        raise click.exceptions.Exit(error.exit_code) from None


def _end(path: Path, level: str, adapters: dict[str, str], files: CIFiles) -> NoReturn:
    """Tell what the results in a file amount to, make their page, and exit accordingly."""
    results = read_results(path)
    levels = ("must",) if level == "must" else ("must", "should")
    print_summary(results, console(), path, levels, adapters)
    files.write(results, path, levels, adapters)
    click.echo(path)
    click.echo(_page(results, path.parent))
    raise click.exceptions.Exit(exit_code(results, levels))


def _page(results: Results, folder: Path) -> Path:
    try:
        return build_report(results.records(), folder)
    except OSError as error:
        raise StorageError(
            f"{folder / 'index.html'}: cannot be written: {error.strerror}"
        ) from None


def _runnable(targets: tuple[str, ...], spared: tuple[str, ...] = ()) -> list[Found]:
    """What the targets name; without any, all that can run here: but for those to be spared."""
    found = find(targets)
    names = {item.name for item in [*found, *find()]} if spared else set()
    for name in spared:
        if name not in names:
            raise UsageError(f"there is no implementation {name!r}{did_you_mean(name, names)}")
    found = [item for item in found if item.name not in spared]
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
    console().print(table, markup=False)


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
            click.echo(visible(f"{implementation}: {problem or 'fit to be judged'}"))

    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        plan = Plan(_runnable(targets), properties=(), device=device)
        run_plan(plan, Path(folder) / "results.jsonl", Listener())
    raise click.exceptions.Exit(3 if problems else 0)


# --- What is done with records -------------------------------------------------------------------


@main.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="WITNESS_OR_RESULTS")
@click.option("--cell", "cell_id", metavar="ID", help="Which failure of a results file.")
@click.option("--script", is_flag=True, help="Print a script that needs no suite to reproduce it.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="For the answer.",
)
@adapters_option
def replay(
    file: Path, cell_id: str | None, script: bool, timeout: float, adapters: tuple[str, ...]
) -> None:
    """Ask a failing case again, bit for bit.

    Exits with 0 where the property now holds, 1 where it still fails, dies or does not answer.
    """
    witness, source = witness_in(file, cell_id)
    name = str(witness["implementation"])
    if not script:
        target = adapter_of(name, adapters).target
        raise click.exceptions.Exit(ask_again(witness, target, timeout=timeout))
    if source is None or adapters:
        found = adapter_of(name, adapters)
        source = found.adapter or read_text(found.path)
    click.echo(replay_script(witness, source), nl=False)


@main.command()
@results_argument
@click.option(
    "--output", type=click.Path(path_type=Path), help="Folder.  [default: that of RESULTS]"
)
@findings_option
@ci_options
def report(
    results: Path,
    output: Path | None,
    findings: Path | None,
    junit: Path | None,
    summary: Path | None,
) -> None:
    """Make the pages of a results file, and what CI reads."""
    prose = read_prose(findings) if findings else None
    files = CIFiles.prepared(junit, summary)
    content = read_results(results)
    if not content.complete:
        click.echo(f"{results} is truncated: no footer; the page will say so.", err=True)
    files.write(content, results)
    folder = writable(output or results.parent)
    if prose:
        explain(prose, content, folder)
    click.echo(_page(content, folder))


@main.command()
@click.argument(
    "files", type=click.Path(path_type=Path), metavar="RESULTS...", nargs=-1, required=True
)
@_output
@_level
@click.option(
    "--allow-truncated",
    is_flag=True,
    help="Take interrupted runs, too: what comes of it is truncated.",
)
@ci_options
def merge(
    files: tuple[Path, ...],
    output: Path,
    level: str,
    allow_truncated: bool,
    junit: Path | None,
    summary: Path | None,
) -> None:
    """Make one results file of several: shards of a run, or other machines.

    Exits as a run would; with 3 where a shard is missing.
    """
    path = writable(output) / "results.jsonl"
    if path.exists() and any(path.samefile(file) for file in files if file.exists()):
        raise UsageError(f"{path} is one of the parts, and would be replaced: say --output")
    with claimed(output):
        parts = [(str(file), read_results(file)) for file in dict.fromkeys(files)]
        merged = merge_results(parts, allow_truncated=allow_truncated)
        write_results(path, merged.results)
        if merged.lacking:
            some = ", ".join(merged.lacking[:5]) + (", ..." if len(merged.lacking) > 5 else "")
            click.echo(f"{path} is truncated, without a footer: it lacks {some}", err=True)
        _end(path, level, {}, CIFiles.prepared(junit, summary))


@main.command()
@click.argument(
    "files", type=click.Path(path_type=Path), metavar="FILE...", nargs=-1, required=True
)
def validate(files: tuple[Path, ...]) -> None:
    """Check results files, witnesses, known failures, and what a site remembers of its runs.

    All may be compressed by xz.  Stops at the first that is broken.
    """
    for file in files:
        click.echo(visible(f"{file}: {_validated(file)}"))


def _validated(file: Path) -> str:
    """What a file is, once it is known to be valid."""
    match kind_of(file):
        case "witness":
            witness = read_witness(file)
            return f"a witness of {witness['implementation']}, {witness['property']}"
        case "known":
            return f"{len(load_known(file))} known failures"
        case "history":
            record = read_brief(file)
            return f"the run {record['run']} in brief, {record['cells']} cells"
    return f"complete, {len(read_results(file, strict=True).cells)} cells"


main.add_command(known)
main.add_command(diff)
main.add_command(publish)
