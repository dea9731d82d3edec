"""Several results files become one: the shards of a run, or runs on several machines or in several
environments.

The merged header has the run id and the host of the first part, the earliest start, and the
packages of all (the first part's version where they differ); ``parts`` says of each part where it
took place, who was judged there, and how hard.  Profiles may differ where no implementation is in
two parts: the cases of a lesser one are the first of a greater one's.  The footer's seconds are
those of all parts together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from conformance.errors import RecordsError
from conformance.records.results import (
    Cell,
    Curve,
    Footer,
    Header,
    Implementation,
    Part,
    Results,
    canonical_order,
    tally,
)

ONE_RUN = ("schema", "suite", "profile", "seed", "properties")
"""Fields of the header in which two files are of one run, wherever and whenever it took place."""
_LONG = ("properties", "capabilities", "adapter")
"""Fields that a message has no room for."""

Named = tuple[str, Results]
"""A part, and what a message calls it."""


@dataclass(frozen=True)
class Merged:
    """What the parts are together."""

    results: Results
    """Without a footer where something is lacking."""
    lacking: tuple[str, ...]


def merge(parts: Sequence[Named], *, allow_truncated: bool = False) -> Merged:
    """One run out of at least one part.

    ``RecordsError`` where two parts cannot be of one run, or say different things of one cell, and
    where a part is truncated, unless that is allowed.
    """
    sharded = any(part.header.get("shard") for _, part in parts)
    alike = [field for field in ONE_RUN if sharded or field != "profile"]
    for name, part in parts:
        _of_one_run(parts[0], (name, part), alike)
        if not part.complete and not allow_truncated:
            raise RecordsError(
                f"{name} is truncated: end that run by --resume, or say --allow-truncated "
                "for a merged file that is truncated, too"
            )
    lacking = [f"the end of {name}" for name, part in parts if not part.complete]
    parts, missing = _in_order(parts)
    lacking += missing
    entries = _implementations(parts)
    cells = _cells(parts)
    if sharded and not lacking:
        lacking = _gaps(list(entries), cells, parts[0][1].header)
    header = _header([part.header for _, part in parts], list(entries.values()))
    key = canonical_order(list(entries), [entry["slug"] for entry in header["properties"]])
    curves = {_place(c): c for _, part in reversed(parts) for c in part.curves}
    results = Results(
        header,
        tuple(sorted(cells.values(), key=key)),
        tuple(sorted(curves.values(), key=key)),
        None if lacking else _footer([part for _, part in parts], cells.values()),
    )
    return Merged(results, tuple(lacking))


def difference(one: Mapping[str, Any], other: Mapping[str, Any], names: Iterable[str]) -> str:
    """What differs between two headers, or entries of one, of all ``names``; empty: nothing."""
    found = [name for name in names if one.get(name) != other.get(name)]
    return ", ".join(
        name if name in _LONG else f"{name} ({_said(one, name)} and {_said(other, name)})"
        for name in found
    )


def _said(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    parts = value.values() if isinstance(value, dict) else (value,)
    return " ".join("none" if part is None else str(part) for part in parts)


def _in_order(parts: Sequence[Named]) -> tuple[list[Named], list[str]]:
    """The parts, shards by number; and which shards are missing."""
    shards: dict[int, str] = {}
    of: tuple[int, str] | None = None
    whole = [part for part in parts if not part[1].header.get("shard")]
    for name, part in parts:
        if not (text := part.header.get("shard")):
            continue
        number, count = map(int, text.split("/"))
        if number > count:
            raise RecordsError(f"{name}: there is no shard {text}")
        of = of or (count, name)
        if count != of[0]:
            raise RecordsError(f"{name} is shard {text}, and {of[1]} one of {of[0]}: other shards")
        if number in shards:
            raise RecordsError(
                f"{name} and {shards[number]} are both shard {text}: merge the shards of each run "
                "first, and then what comes of that"
            )
        shards[number] = name
    named = dict(parts)
    ordered = [(shards[number], named[shards[number]]) for number in sorted(shards)]
    count = of[0] if of else 0
    missing = [f"shard {n}/{count}" for n in range(1, count + 1) if n not in shards]
    return [*ordered, *whole], missing


def _of_one_run(one: Named, other: Named, fields: Iterable[str]) -> None:
    if said := difference(one[1].header, other[1].header, fields):
        raise RecordsError(f"{one[0]} and {other[0]} are not of one run: {said}")


def _implementations(parts: Iterable[Named]) -> dict[str, Implementation]:
    found: dict[str, tuple[Named, Implementation]] = {}
    for part in parts:
        for entry in part[1].header["implementations"]:
            where, first = found.setdefault(entry["name"], (part, entry))
            _of_one_run(where, part, ["profile"])
            if said := difference(first, entry, entry):
                raise RecordsError(
                    f"{entry['name']} is not the same in {where[0]} and {part[0]}: {said}"
                )
    return {name: entry for name, (_, entry) in found.items()}


def _cells(parts: Iterable[Named]) -> dict[str, Cell]:
    found: dict[str, tuple[str, Cell]] = {}
    for name, part in parts:
        for cell in part.cells:
            where, first = found.setdefault(cell["id"], (name, cell))
            if said := difference(first, cell, ("outcome", "expectation", "label")):
                raise RecordsError(f"{cell['id']} has two verdicts, in {where} and {name}: {said}")
    return {id: cell for id, (_, cell) in found.items()}


def _gaps(names: Iterable[str], cells: Mapping[str, Cell], header: Header) -> list[str]:
    """What a whole run would have and its shards have not, since they asked different things."""
    places = Counter((c["implementation"], c["device"], c["dtype"]) for c in cells.values())
    asked = {implementation for implementation, _, _ in places}
    lacking = {place: len(header["properties"]) - count for place, count in places.items()}
    return [
        *(f"{n} cells of {'/'.join(place)}" for place, n in lacking.items() if n),
        *(f"every cell of {name}" for name in names if name not in asked),
    ]


def _header(headers: Sequence[Header], entries: list[Implementation]) -> Header:
    packages: dict[str, str] = {}
    for header in reversed(headers):
        packages |= header["packages"]
    merged = headers[0] | {
        "started": min(header["started"] for header in headers),
        "profile": "+".join(sorted({p for h in headers for p in h["profile"].split("+")})),
        "packages": dict(sorted(packages.items())),
        "implementations": entries,
        "shard": None,
        "parts": [part for header in headers for part in header.get("parts") or [_part(header)]],
    }
    return cast(Header, merged)


def _part(header: Header) -> Part:
    return {
        "run": header["run"],
        "started": header["started"],
        "shard": header.get("shard"),
        "host": header["host"],
        "packages": header["packages"],
        "profile": header["profile"],
        "implementations": [entry["name"] for entry in header["implementations"]],
    }


def _place(curve: Curve) -> tuple[str, str, str]:
    return curve["implementation"], curve["device"], curve["dtype"]


def _footer(parts: Sequence[Results], cells: Iterable[Cell]) -> Footer:
    footers = [part.footer for part in parts if part.footer]
    footer = {
        "kind": "footer",
        "complete": True,
        **tally(cells),
        "finished": max(footer["finished"] for footer in footers),
        "seconds": round(sum(footer["seconds"] for footer in footers), 3),
    }
    return cast(Footer, footer)
