"""What a record may say at once: one that contradicts itself is refused, whoever wrote it.

A schema knows fields one by one.  Here they are held against each other: no pass without evidence,
no failure without a word about it, no count that another count belies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Record = Mapping[str, Any]

UNASKED = ("unsupported", "inapplicable", "not-run")
WITNESSED = ("fail", "flaky", "error", "timeout", "crash")
LOST = ("timeout", "crash")
LAYOUT = "layout "
"""Before the name of a memory layout, among the regimes: its cases count in their regime, too."""


def contradiction(cell: Record, prop: Record, implementation: Record) -> str | None:
    """The first way in which a cell contradicts itself, its property or its implementation.

    ``prop`` and ``implementation`` are their entries in the header; all three meet the schema.
    """
    found = (
        what
        for look in (_of_counts, _of_evidence, _of_words, _of_expectation, _of_witness)
        for what in look(cell, prop)
    )
    return next(found, None) or next(_of_declaration(cell, implementation), None)


def curve_contradiction(curve: Record, implementation: Record) -> str | None:
    """The first way in which a curve contradicts itself or its implementation."""
    if any(isinstance(point["exact"], str) for point in curve["points"]):
        return "a point whose exact loss is not finite"
    return next(_undeclared(curve, implementation), None)


def gap(header: Record, cells: Iterable[Record]) -> str | None:
    """What is missing from a file that calls itself complete: a run asks every implementation every
    property in each dtype on each device where it asks any.  A shard may lack whatever others have.
    """
    if header.get("shard"):
        return None
    asked: dict[str, Counter[str]] = {
        entry["name"]: Counter() for entry in header["implementations"]
    }
    for cell in cells:
        asked[cell["implementation"]][f"{cell['dtype']} on {cell['device']}"] += 1
    properties = len(header["properties"])
    for name, places in asked.items():
        if properties and not places:
            return f"{name} has no cell"
        for place, count in places.items():
            if count != properties:
                return f"{name} has {count} cells in {place}, of {properties} properties"
    return None


def _of_counts(cell: Record, prop: Record) -> Iterator[str]:
    examples, regimes, letters = cell["examples"], cell["regimes"], cell["corpus"]
    executed = examples["corpus"] + examples["searched"]
    in_regimes = sum(n for name, n in regimes.items() if not name.startswith(LAYOUT))
    if in_regimes != executed:
        yield f"{executed} examples were executed, and {in_regimes} in all regimes together"
    if any(n > executed for n in regimes.values()):
        yield "a layout was asked more often than there are examples"
    if len(letters) - letters.count("-") > examples["corpus"]:
        yield f"{examples['corpus']} corpus examples, and more letters for them: {letters[:50]}"
    power, worst = cell["power"], cell["worst"]
    if cell.get("failed", 0) > executed:
        yield f"{cell['failed']} of {executed} examples failed"
    if power and power["rejected"] > power["spoiled"]:
        yield f"{power['rejected']} of {power['spoiled']} spoiled answers were rejected"
    for answer in filter(None, (worst, cell.get("most_ulp"))):
        if not regimes.get(answer["regime"]):
            yield f"the worst case is of the regime {answer['regime']}, and none of it was executed"
    for regime, errors in (cell["accuracy"] or {}).items():
        if not regimes.get(regime):
            yield f"accuracy in the regime {regime}, and no case of it was executed"
        if sum(errors["histogram"]) != errors["count"]:
            yield f"the histogram of the regime {regime} does not add up to its count"


def _of_evidence(cell: Record, prop: Record) -> Iterator[str]:
    outcome, regimes = cell["outcome"], cell["regimes"]
    if outcome in ("unsupported", "inapplicable") and any(regimes.values()):
        yield f"{outcome}, and yet asked"
    if outcome != "pass" or cell["expectation"] == "stale":
        return
    least = max(1, cell["examples"]["floor"] // max(1, len(prop["regimes"])))
    for regime in prop["regimes"]:
        if regimes.get(regime, 0) < least:
            asked = f"{regimes.get(regime, 0)} cases in the regime {regime}, of at least {least}"
            yield f"passed with {asked}"
    if not cell["examples"]["corpus"]:
        yield "passed without a case of the corpus"
    if cell.get("failed"):
        yield f"passed with {cell['failed']} examples that failed"
    if set(cell["corpus"]) & set("fe"):
        yield f"passed with a corpus case that failed: {cell['corpus'][:50]}"
    if not cell["power"] or not cell["power"]["rejected"]:
        yield "passed, and no spoiled answer was rejected"


def _of_words(cell: Record, prop: Record) -> Iterator[str]:
    outcome = cell["outcome"]
    if outcome in UNASKED and not cell["reason"]:
        yield f"{outcome} without a reason"
    if outcome not in ("pass", *UNASKED) and not cell["message"]:
        yield f"{outcome} without a message"
    if cell["label"] is not None and cell["level"] != "behaviour":
        yield f"a label, {cell['label']!r}, at the level {cell['level']}"


def _of_expectation(cell: Record, prop: Record) -> Iterator[str]:
    expectation, outcome = cell["expectation"], cell["outcome"]
    if expectation and not cell["reason"]:
        yield f"{expectation} without a reason"
    if expectation == "known" and outcome in ("pass", *UNASKED):
        yield f"a known failure with the outcome {outcome}"
    if expectation == "stale" and outcome != "pass":
        yield f"a stale expectation with the outcome {outcome}"


def _of_witness(cell: Record, prop: Record) -> Iterator[str]:
    witness, outcome = cell["witness"], cell["outcome"]
    if witness is None:
        return
    if outcome not in WITNESSED:
        yield f"a witness of a failure, with the outcome {outcome}"
    for name in ("implementation", "device", "dtype", "property"):
        if witness[name] != cell[name]:
            yield f"the witness is about the {name} {witness[name]}, the cell about {cell[name]}"
    if (outcome in LOST or witness["kind"] in LOST) and witness["kind"] != outcome:
        yield f"{outcome}, and its witness says {witness['kind']}"


def _of_declaration(cell: Record, implementation: Record) -> Iterator[str]:
    if cell["outcome"] not in UNASKED:
        yield from _undeclared(cell, implementation)


def _undeclared(record: Record, implementation: Record) -> Iterator[str]:
    """Whether an answer is of a dtype and a device that the implementation declares."""
    declared = implementation["capabilities"]
    if record["dtype"] not in declared["dtypes"]:
        yield f"asked in {record['dtype']}, which {implementation['name']} does not declare"
    if {record["device"], record["device"].partition(":")[0]}.isdisjoint(declared["devices"]):
        yield f"asked on {record['device']}, which {implementation['name']} does not declare"
