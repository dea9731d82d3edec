"""What makes a results file complete and true: the rules, written without the reader's help.

Another JSON Schema library than the reader's, and counting of its own.
"""

from __future__ import annotations

import base64
import json
import lzma
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from hostile import Records, counts

from conformance.records.schema import schema

SCHEMA = {"$schema": schema()["$schema"], "$defs": schema()["$defs"]}
VALIDATORS = {
    kind: jsonschema_rs.validator_for(SCHEMA | {"$ref": f"#/$defs/{kind}"})
    for kind in ("header", "cell", "curve", "footer", "witness", "known")
}


def complete_records(content: bytes) -> Records | None:
    """The records of a file that may be called complete; None where it may not."""
    try:
        lines = content.decode("utf-8").split("\n")
        records = [strict(line) for line in (lines if lines[-1] else lines[:-1])]
    except (ValueError, RecursionError):
        return None
    return records if records and not any(_wrongs(records)) else None


def inflated(content: bytes) -> bytes:
    """What is in a file, if all of it can be had; else what is no JSON."""
    if not content.startswith(b"\xfd7zXZ\0"):
        return content
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    try:
        found = reader.decompress(content)
    except lzma.LZMAError:
        return b"\xff"
    return found if reader.eof and not reader.unused_data else b"\xff"


def strict(line: str) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    value = json.loads(line, object_pairs_hook=members, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")  # no half characters
    return value


def _wrongs(records: Records) -> Iterator[bool]:
    """What must not be, rule by rule."""
    kinds = [r.get("kind") if isinstance(r, dict) else None for r in records]
    yield kinds[0] != "header" or kinds[-1] != "footer"
    yield not all(kind in ("cell", "curve") for kind in kinds[1:-1])
    for kind, record in zip(kinds, records, strict=True):
        yield not VALIDATORS[kind].is_valid(record)
    head, last = records[0], records[-1]
    cells = [r for r in records if r["kind"] == "cell"]
    curves = [r for r in records if r["kind"] == "curve"]
    for name, entries in (("name", head["implementations"]), ("slug", head["properties"])):
        yield len({entry[name] for entry in entries}) < len(entries)
    yield len({c["id"] for c in cells}) < len(cells)
    yield len({(c["implementation"], c["device"], c["dtype"]) for c in curves}) < len(curves)
    yield last["cells"] != len(cells)
    yield last["outcomes"] != dict(Counter(c["outcome"] for c in cells))
    yield last["unexpected"] != sum(map(counts, cells))
    names = {entry["name"]: entry["capabilities"] for entry in head["implementations"]}
    properties = {entry["slug"]: entry for entry in head["properties"]}
    asked = Counter((c["implementation"], c["device"], c["dtype"]) for c in cells)
    if properties and not head.get("shard"):
        yield {*names} != {name for name, _, _ in asked}
        yield {*asked.values()} - {len(properties)} != set()
    for record in (*cells, *curves):
        yield record["implementation"] not in names
    for one in cells:
        where = [one[n] for n in ("implementation", "device", "dtype", "property")]
        yield one["id"] != "/".join(where)
        yield one["property"] not in properties
        yield from _lies(one, properties[one["property"]], names[one["implementation"]])


def _lies(cell: Any, prop: Any, can: Any) -> Iterator[bool]:
    """What a cell must not say."""
    outcome, examples, regimes = cell["outcome"], cell["examples"], cell["regimes"]
    asked = examples["corpus"] + examples["searched"]
    failed = outcome not in ("pass", "unsupported", "inapplicable", "not-run")
    yield cell["level"] != prop["level"]
    yield sum(n for r, n in regimes.items() if not r.startswith("layout ")) > asked
    yield sum(letter in "pfe" for letter in cell["corpus"]) > examples["corpus"]
    yield failed and not cell["message"]
    yield bool(cell["expectation"]) and not cell["reason"]
    yield cell["expectation"] == "known" and not failed
    yield cell["label"] is not None and cell["level"] != "behaviour"
    if outcome not in ("unsupported", "inapplicable", "not-run"):
        yield cell["dtype"] not in can["dtypes"]
        yield not {cell["device"], cell["device"].split(":")[0]} & {*can["devices"]}
    if outcome == "pass" and cell["expectation"] is None:
        yield not asked
        yield not (cell["power"] or {}).get("rejected")
        yield any(not regimes.get(regime) for regime in prop["regimes"])
        yield "f" in cell["corpus"]
    for regime, errors in (cell["accuracy"] or {}).items():
        yield sum(errors["histogram"]) != errors["count"] or not regimes.get(regime)
    if cell["witness"]:
        about = cell["witness"]
        yield outcome in ("pass", "unsupported", "inapplicable", "not-run")
        yield any(about[n] != cell[n] for n in ("implementation", "device", "dtype", "property"))
        cases = [about["case"], *(entry["case"] for entry in about.get("asked", []))]
        arrays = (case[n] for case in cases if case for n in ("logits", "target", "weight"))
        yield any(not holds(array) for array in arrays if array)


def holds(array: Any) -> bool:
    """Whether the bytes of an array are as many as its shape says."""
    bits = 8 if array["dtype"] == "bool" else int("".join(filter(str.isdecimal, array["dtype"])))
    try:
        data = base64.b64decode(array["data"], validate=True)
        data = zlib.decompress(data) if array.get("compressed") else data
    except (ValueError, zlib.error):
        return False
    return len(data) == math.prod(array["shape"]) * bits // 8
