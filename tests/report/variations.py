"""Other runs that never happened: larger, on two devices, hostile, with other names."""

from __future__ import annotations

import itertools
from typing import Any

from synthetic import DTYPES, Record, records

HOSTILE = "<script>alert(1)</script>\"'><img/src=x onerror=alert(1)>\u202eevil\u2028\ud800"


def many_records(implementations: int = 40, properties: int = 60) -> list[Record]:
    """The same, larger: implementations and properties again and again, under other names."""
    header, *rest, footer = records()
    catalogue = {
        "implementations": _again(header["implementations"], implementations, "name"),
        "properties": _again(header["properties"], properties, "slug"),
    }
    found = {(r["implementation"], r["dtype"], r["property"]): r for r in rest if "id" in r}
    cells = []
    for about, dtype, prop in itertools.product(
        catalogue["implementations"], DTYPES, catalogue["properties"]
    ):
        name, slug = about["name"], prop["slug"]
        cell = found[name.split("+")[0], dtype, slug.split("+")[0]]
        cell = cell | {"implementation": name, "property": slug}
        cells.append(cell | {"id": f"{name}/cpu/{dtype}/{slug}"})
    curves = [r for r in rest if r["kind"] == "curve"]
    return [header | catalogue, *cells, *curves, footer | {"cells": len(cells)}]


def hostile(value: Any, key: str = "") -> Any:
    """The record with hostile text in every place where text from outside can stand."""
    if isinstance(value, dict):
        kept = ("kind", "case", "accuracy", "outcome", "expectation", "level", "dtype", "corpus")
        return {k: v if k in kept else hostile(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(v, key) for v in value]
    if isinstance(value, str) and key not in ("data", "started", "exact", "fused", "chain"):
        return value + HOSTILE
    return value


def on_two_devices() -> list[Record]:
    """The records of a run that asked everything twice, on two devices."""
    header, *rest, footer = records()
    twice = [
        r
        | {"device": device}
        | ({"id": r["id"].replace("/cpu/", f"/{device}/")} if "id" in r else {})
        for device in ("cpu", "cuda")
        for r in rest
    ]
    return [header, *twice, footer | {"cells": 2 * footer["cells"]}]


def _again(entries: list[Record], count: int, key: str) -> list[Record]:
    turns = (divmod(i, len(entries)) for i in range(count))
    return [entries[i] | {key: entries[i][key] + f"+{turn}" * (turn > 0)} for turn, i in turns]


def changed(**fields: Any) -> list[dict[str, Any]]:
    """The records with some fields of every cell replaced."""
    return [r | fields if r["kind"] == "cell" else r for r in records()]


def two(letters: str, other: str) -> list[dict[str, Any]]:
    """The records of two implementations that were asked one property in one dtype."""
    header = records()[0]
    header["implementations"] = header["implementations"][1:3]
    names = [entry["name"] for entry in header["implementations"]]
    cells = [
        r | {"corpus": letters if r["implementation"] == names[0] else other}
        for r in records()
        if r["kind"] == "cell"
        and r["implementation"] in names
        and r["property"] == "loss-formula"
        and r["dtype"] == "float32"
    ]
    return [header, *cells]


def renamed(names: list[str]) -> list[dict[str, Any]]:
    """The records with other names for the first implementations."""
    header, *rest = records()
    entries = header["implementations"]
    new = {entry["name"]: name for entry, name in zip(entries, names, strict=False)}
    header["implementations"] = [e | {"name": new.get(e["name"], e["name"])} for e in entries]
    found = [r for r in rest if r["kind"] == "cell"]
    return [header] + [
        r | {"implementation": new.get(r["implementation"], r["implementation"])} for r in found
    ]
