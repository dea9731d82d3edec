"""The kill matrix: every property against every implementation of the museum.

    python tests/museum/matrix.py --help

It writes ``kill-matrix.json``, ``.md`` and ``.html``, and exits with 1 where the suite is at fault:
a fault survives the property that names it, whoever is right is accused, a property kills nothing
or cannot reject.
"""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from exhibits import EXHIBITS
from faithful import DTYPES, Faithful
from hunt import ASKED, Hunt, fate, stream
from kills import PROFILE, Kills, write
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from unusual import VARIANTS

from conformance.records.schema import Record
from conformance.version import __version__

MUSEUM = {steps.__name__: steps for steps in (Faithful, *VARIANTS, *EXHIBITS)}
RIGHT = [steps.__name__ for steps in (Faithful, *VARIANTS)]
FAULTY = [steps.__name__ for steps in EXHIBITS]

Task = tuple[Callable[..., Record], tuple[Any, ...]]


def hunted(slug: str, dtype: str, seed: int, names: list[str]) -> Record:
    """Some implementations put to the same questions, each of them fresh."""
    hunt = Hunt(slug, dtype, seed)
    where = {"property": slug, "dtype": dtype, "seed": seed}
    cells = []
    for name in names:
        verdict = hunt.of(MUSEUM[name])
        cell = where | {"implementation": name, "outcome": verdict.outcome, "cases": verdict.cases}
        cell["seconds"] = round(verdict.seconds, 4)
        if verdict.outcome not in ("pass", "unsupported"):
            alone = verdict.killed and hunt.of(MUSEUM[name], without_formula=True).killed
            cell |= {"message": verdict.message, "without_formula": alone}
        cells.append(cell)
    return {"cells": cells, "streams": [where | {"hash": stream(hunt.cases)}]}


def whole(slug: str, dtype: str, seed: int, name: str) -> Record:
    """A cell as a run judges it, with the power test and the minimiser, and how long it takes."""
    cell: Record = {"implementation": name, "property": slug, "dtype": dtype, "seed": seed}
    started = perf_counter()
    try:
        judged = fate(MUSEUM[name], slug, dtype, seed)
        cell |= {"outcome": judged["outcome"], "message": judged["message"] or ""}
    except Exception as error:
        cell |= {"outcome": "broken", "message": f"the property itself raised {error!r}"}
    return {"whole": [cell | {"seconds": round(perf_counter() - started, 4)}]}


def named(names: Iterable[str], seeds: Iterable[int]) -> list[Task]:
    """Each exhibit judged where its fault is named."""
    faulty, seeds = [MUSEUM[name] for name in names if MUSEUM[name].fails], tuple(seeds)
    return [(whole, (x.fails, x.dtype, seed, x.__name__)) for x in faulty for seed in seeds]


def plan(
    slugs: Iterable[str], names: Iterable[str], seeds: Iterable[int], *, all_dtypes: bool = False
) -> Iterator[Task]:
    """What there is to do: exhibits are judged where they are at home, right ones everywhere."""
    slugs, names, seeds = set(slugs), list(names), tuple(seeds)
    yield from (task for task in named(names, seeds) if task[1][0] in slugs)
    rows = defaultdict(list)
    for name in names:
        steps = MUSEUM[name]
        for dtype in (steps.dtype,) if steps.fails and not all_dtypes else DTYPES:
            rows[dtype].append(name)
    asked = [
        (prop, dtype) for prop in ASKED.values() if prop.slug in slugs for dtype in prop.dtypes
    ]
    for prop, dtype in asked:
        yield from ((whole, (prop.slug, dtype, seed, "Faithful")) for seed in seeds)
        yield from ((hunted, (prop.slug, dtype, seed, rows[dtype])) for seed in seeds)


def compute(tasks: Iterable[Task], workers: int, console: Console) -> Record:
    """Do the tasks in processes of their own; what they found, in a fixed order."""
    found: dict[str, list[Record]] = {"cells": [], "streams": [], "whole": []}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # A fresh interpreter each: where the questions come from, no state is inherited.
    with (
        ProcessPoolExecutor(workers, get_context("spawn"), initializer=_strict) as pool,
        Progress(*columns, TimeRemainingColumn(), console=console) as progress,
    ):
        futures = [pool.submit(function, *arguments) for function, arguments in tasks]
        bar = progress.add_task("kill matrix", total=len(futures))
        try:
            for future in as_completed(futures):
                progress.advance(bar)
                for kind, records in future.result().items():
                    found[kind] += records
        except BaseException:
            pool.shutdown(cancel_futures=True)  # nobody waits for the rest
            raise
    order = {name: place for place, name in enumerate((*ASKED, *MUSEUM))}
    for records in found.values():
        keys = ("implementation", "property", "dtype", "seed")
        records.sort(key=lambda r: [order.get(r.get(key, ""), r.get(key)) for key in keys])
    return found


def _strict() -> None:
    """As in the tests: a warning from a property's own arithmetic is a fault of the suite."""
    warnings.simplefilter("error", RuntimeWarning)


def about(steps: type[Faithful]) -> Record:
    """A row of the matrix."""
    return {
        "name": steps.__name__,
        "wing": "faulty" if steps.fails else "right",
        "module": steps.__module__.rpartition(".")[2],
        "says": (steps.__doc__ or "").partition("\n")[0],
        "fails": steps.fails,
        "link": steps.link,
        "dtype": steps.dtype,
        "rare": steps.rare,
        "without": list(getattr(steps, "without", ())),
    }


def document(
    slugs: Iterable[str],
    names: Iterable[str],
    seeds: range,
    *,
    all_dtypes: bool,
    workers: int,
    console: Console,
) -> Record:
    """The matrix as one JSON document (``kills.SCHEMA``)."""
    slugs, names = list(slugs), list(names)
    started, began = datetime.now(UTC), perf_counter()
    found = compute(plan(slugs, names, seeds, all_dtypes=all_dtypes), workers, console)
    fields = ("slug", "family", "level", "statement")
    return {
        "schema": 1,
        "suite": __version__,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(perf_counter() - began, 1),
        "profile": PROFILE,
        "seeds": list(seeds),
        "complete": set(slugs) == set(ASKED) and set(names) == set(MUSEUM),
        "properties": [{f: getattr(ASKED[slug], f) for f in fields} for slug in slugs],
        "implementations": [about(MUSEUM[name]) for name in names],
        **found,
    }


@click.command(help=__doc__)
@click.option("--seeds", default=1, show_default=True, help="How many seeds, from --first-seed on.")
@click.option("--first-seed", default=0, show_default=True)
@click.option("--all-dtypes", is_flag=True, help="Exhibits too: else each where it is at home.")
@click.option("--wing", type=click.Choice(["faulty", "right"]), help="One wing only.")
@click.option("--property", "slugs", multiple=True, type=click.Choice(list(ASKED)), metavar="SLUG")
@click.option(
    "--implementation", "names", multiple=True, type=click.Choice(list(MUSEUM)), metavar="NAME"
)
@click.option("--workers", default=os.cpu_count() or 1, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("reports/latest"))
def main(
    seeds: int,
    first_seed: int,
    all_dtypes: bool,
    wing: str | None,
    slugs: tuple[str, ...],
    names: tuple[str, ...],
    workers: int,
    output: Path,
) -> None:
    console = Console()
    wings = {"faulty": FAULTY, "right": RIGHT, None: list(MUSEUM)}
    found = document(
        slugs or list(ASKED),
        names or wings[wing],
        range(first_seed, first_seed + seeds),
        all_dtypes=all_dtypes,
        workers=workers,
        console=console,
    )
    write(found, output)
    kills = Kills(found)
    console.print(kills.in_words(), markup=False, highlight=False, soft_wrap=True)
    for fault in kills.faults():
        console.print(fault, style="red", markup=False, highlight=False, soft_wrap=True)
    console.print(f"written to {output / 'kill-matrix.html'}", markup=False, soft_wrap=True)
    raise SystemExit(bool(list(kills.faults())))


if __name__ == "__main__":
    main()
