"""``conformance known``: the expected failures beside an adapter, kept up to date from results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from conformance.commands.command import Commands, adapter_of, adapters_option, results_argument
from conformance.commands.region import read_region, within
from conformance.contract.capabilities import did_you_mean
from conformance.errors import UsageError
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
from conformance.records.results import read_results
from conformance.spec.formats import FORMATS


@click.group(cls=Commands)
def known() -> None:
    """Keep the known failures beside an adapter up to date."""


@known.command()
@results_argument
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
@click.option(
    "--bounds",
    type=click.FloatRange(min=1, min_open=True),
    metavar="N",
    help="Expect only wrong numbers that are up to N bounds off.",
)
@adapters_option
def add(
    results: Path,
    reason: str,
    link: str | None,
    names: tuple[str, ...],
    slugs: tuple[str, ...],
    dtypes: tuple[str, ...],
    conditions: tuple[str, ...],
    every_property: bool,
    bounds: float | None,
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
    if bounds is not None:
        new = [replace(e, bounds=bounds) for e in new if e.fails == ("wrong",)]
    if not new:
        raise UsageError(f"{results} has no such unexpected failure")
    if every_property:
        new = over_all_properties(new)
    for path, expectations in _by_file(new, adapters).items():
        save_known(path, merge(load_known(path), expectations))
        click.echo(f"{path}: {len(expectations)} added")


@known.command()
@results_argument
@adapters_option
def prune(results: Path, adapters: tuple[str, ...]) -> None:
    """Remove the expectations that RESULTS found stale."""
    content = read_results(results)
    stale = {c["implementation"] for c in content.cells if c["expectation"] == "stale"}
    for path in {known_path(adapter_of(name, adapters).path) for name in sorted(stale)}:
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
        path = known_path(adapter_of(expectation.implementation, adapters).path)
        files.setdefault(path, []).append(expectation)
    return files
