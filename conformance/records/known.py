"""Known failures: what is expected to fail, where in the input space, how, and why.

An expectation binds a property to a region (``when``) and to the way in which it fails there.
Cases inside the region are asked all the same: failing in the recorded way is known, failing in
another way is a new failure, and a witness that passes on the versions it was seen with makes the
expectation stale.  Expectations live beside their adapter, in ``<stem>.known.json``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

from conformance.errors import RecordsError, UsageError
from conformance.records.results import Cell, Results, is_unexpected
from conformance.records.schema import VERSION, Record, check, parse, read_text, schema, to_json
from conformance.records.witness import check_witness

EVERY_PROPERTY = "*"
"""Stands for a slug in an expectation whose reason is the region's alone: there every comparison of
values may fail, as where an exp overflows."""

FEATURES: tuple[str, ...] = tuple(schema()["$defs"]["when"]["properties"])
"""The closed list of features that a region may speak of."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

_WAYS = {
    "fail": "wrong",
    "crash": "crash",
    "timeout": "timeout",
}


@dataclass(frozen=True)
class Expectation:
    """One expected failure."""

    implementation: str
    property: str
    """A slug, or ``*``: whatever property fails in the region."""
    when: Mapping[str, Any]
    """Feature -> a value, a list of values, or comparisons such as ``{">": 9.7, "<=": 100}``."""
    fails: tuple[str, ...]
    """The ways in which it fails: kinds of violation, crash or timeout."""
    reason: str
    exception: str | None = None
    """The type that is raised, where ``fails`` is raised; ``None`` means any."""
    bounds: float | None = None
    """How far off it may be, in bounds, where ``fails`` is wrong; ``None`` means any distance."""
    link: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    """The distributions, and their versions, with which it was seen."""
    device: str | None = None
    machine: str | None = None
    witnesses: tuple[Record, ...] = ()
    """A bit-exact case for each dtype in which it was seen; replayed before anything is asked."""

    def matches(self, features: Mapping[str, Any]) -> bool:
        """Whether a case with these features lies in the region.

        An option that the case leaves out is ``None``.  A feature that is absent, or NaN, meets no
        comparison.
        """
        return all(
            name in features and _meets(features[name], condition)
            for name, condition in self.when.items()
        )

    def concerns(self, slug: str, device: str, dtype: str) -> bool:
        """Whether the region reaches into a cell: what can be said before any case is drawn."""
        cell = {"device": device, "dtype": dtype}
        reaches = (_meets(cell[n], self.when[n]) for n in cell if n in self.when)
        return self.property in (slug, EVERY_PROPERTY) and all(reaches)

    def expects(self, way: str, exception: str | None = None, off: float = inf) -> bool:
        """Whether a failure is of a recorded way, and exception type and distance where these are
        recorded: ``off`` is its error / bound."""
        near = self.bounds is None or off <= self.bounds
        return way in self.fails and self.exception in (None, exception) and near

    def witness_for(self, slug: str, dtype: str) -> Record | None:
        """The case that is replayed first in a cell, where the failure was seen there."""
        return next(
            (w for w in self.witnesses if (w["property"], w["dtype"]) == (slug, dtype)), None
        )

    def seen_with(self, versions: Mapping[str, str], machine: str | None) -> bool:
        """Whether the failure was seen in this configuration, so that passing is stale."""
        same = all(versions.get(name) == version for name, version in self.versions.items())
        return same and self.machine in (None, machine)

    def to_record(self) -> Record:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["fails"] = list(self.fails)
        fields["witnesses"] = list(self.witnesses)
        return {name: value for name, value in fields.items() if value not in (None, {}, [])} | {
            "when": dict(self.when)
        }


def _meets(value: object, condition: object) -> bool:
    if isinstance(condition, Mapping):
        return all(_compares(value, sign, bound) for sign, bound in condition.items())
    if isinstance(condition, Sequence) and not isinstance(condition, str):
        return any(_same(value, item) for item in condition)
    return _same(value, condition)


def _compares(value: Any, sign: str, bound: Any) -> bool:
    if sign == "!=":
        return not _same(value, bound)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and _COMPARE[sign](value, bound)


def _same(value: object, other: object) -> bool:
    # True is no 1: presence of an option is not its value.
    return isinstance(value, bool) == isinstance(other, bool) and value == other


# --- Files ---------------------------------------------------------------------------------------


def known_path(adapter: Path | str) -> Path:
    """Where the expectations of an adapter file live."""
    return Path(adapter).with_suffix(".known.json")


def load_known(path: Path) -> tuple[Expectation, ...]:
    """The expectations in a file; none if there is no file.  ``RecordsError`` if it is broken."""
    if not path.exists():
        return ()
    content = parse(read_text(path), str(path))
    check("known", content, str(path))
    for number, entry in enumerate(content["expectations"]):
        where = f"{path}: expectation {number} ({entry['property']})"
        if entry.get("exception") and entry["fails"] != ["raised"]:
            raise RecordsError(f"{where}: an exception belongs to fails: raised")
        if entry.get("bounds") and entry["fails"] != ["wrong"]:
            raise RecordsError(f"{where}: bounds belong to fails: wrong")
        if entry["property"] == EVERY_PROPERTY and not entry["when"].keys() - {"dtype", "device"}:
            raise RecordsError(f"{where}: every property needs a region beyond dtype and device")
        for witness in entry.get("witnesses", ()):
            check_witness(witness, f"{where}: witness")
            name, slug = witness["implementation"], witness["property"]
            if name != entry["implementation"] or entry["property"] not in (slug, EVERY_PROPERTY):
                raise RecordsError(f"{where}: a witness of {name}, {slug}")
    return tuple(
        Expectation(
            **entry
            | {"fails": tuple(entry["fails"]), "witnesses": tuple(entry.get("witnesses", ()))}
        )
        for entry in content["expectations"]
    )


def save_known(path: Path, expectations: Iterable[Expectation]) -> None:
    """Write a known-failures file, or remove it where nothing is expected to fail any more."""
    ordered = sorted(expectations, key=lambda e: (e.implementation, e.property, to_json(e.when)))
    content = {"schema": VERSION, "expectations": [e.to_record() for e in ordered]}
    check("known", content, str(path))
    try:
        if not ordered:
            path.unlink(missing_ok=True)
            return
        draft = path.with_name(path.name + ".draft")
        draft.write_text(to_json(content, indent=2) + "\n", "utf-8")
        draft.replace(path)
    except OSError as error:
        raise RecordsError(f"{path}: cannot be written: {error.strerror}") from None


# --- From results --------------------------------------------------------------------------------


def expectations_from(
    results: Results,
    *,
    reason: str,
    link: str | None,
    region: Mapping[str, Any] = MappingProxyType({}),
) -> list[Expectation]:
    """An expectation for every unexpected failure: one for each way in which a property fails on a
    device, over all the dtypes it was seen in, with the smallest witness of each.

    ``region`` is what the reason says of the cases beyond dtype and device.  A vacuous or stale
    cell is left out: that is a fault of the suite or of the expectation.
    """
    if len(reason.strip()) < 3:
        raise UsageError("a known failure needs a reason: why does it fail, and why is that so?")
    new = [
        _expectation(cell, results, reason, link, region)
        for cell in results.cells
        if is_unexpected(cell) and cell["outcome"] in _WAYS and cell["expectation"] is None
    ]
    return merge((), new)


def over_all_properties(expectations: Iterable[Expectation]) -> list[Expectation]:
    """The same failures as one expectation for each implementation and region."""
    return merge((), (replace(e, property=EVERY_PROPERTY, exception=None) for e in expectations))


def _expectation(
    cell: Cell, results: Results, reason: str, link: str | None, region: Mapping[str, Any]
) -> Expectation:
    entries = {entry["name"]: entry for entry in results.header["implementations"]}
    entry, witness = entries[cell["implementation"]], cell["witness"]
    way = witness["kind"] if witness else _WAYS[cell["outcome"]]
    got = witness["got"] if witness else None
    exception = got.partition(": ")[0] if way == "raised" and got else None
    versions = dict(witness["versions"]) if witness else {}
    if entry["distribution"] and entry["version"]:
        versions.setdefault(entry["distribution"], entry["version"])
    return Expectation(
        implementation=cell["implementation"],
        property=cell["property"],
        when={"dtype": [cell["dtype"]], "device": cell["device"], **region},
        fails=(way,),
        exception=exception,
        reason=reason.strip(),
        link=link,
        versions=versions,
        device=cell["device"],
        machine=results.header["host"]["machine"],
        # A replay makes the variations of the case anew, so they need no place in the file.
        witnesses=(dict(witness, asked=[]),) if witness else (),
    )


def merge(old: Iterable[Expectation], new: Iterable[Expectation]) -> list[Expectation]:
    """All expectations, where those that differ only in dtype and witnesses are one; over every
    property the ways may differ, too."""

    def rest(e: Expectation) -> str:
        ways = () if e.property == EVERY_PROPERTY else e.fails
        same = replace(e, when=_without(e.when, "dtype"), fails=ways, witnesses=())
        return to_json(same.to_record())

    together = sorted([*old, *new], key=rest)
    return [_union(list(group)) for _, group in groupby(together, key=rest)]


def _union(group: list[Expectation]) -> Expectation:
    ways = tuple(sorted({way for e in group for way in e.fails}))
    first = replace(group[0], fails=ways)
    if len(group) == 1:
        return first
    if any("dtype" not in e.when for e in group):
        return replace(first, when=_without(first.when, "dtype"), witnesses=_smallest(group))
    dtypes = [dtype for e in group for dtype in _listed(e.when["dtype"])]
    when = {"dtype": list(dict.fromkeys(dtypes)), **_without(first.when, "dtype")}
    return replace(first, when=when, witnesses=_smallest(group))


def _smallest(group: list[Expectation]) -> tuple[Record, ...]:
    """The smallest witness of each dtype."""
    found: dict[str, Record] = {}
    for witness in sorted((w for e in group for w in e.witnesses), key=_size):
        found.setdefault(witness["dtype"], witness)
    return tuple(found[dtype] for dtype in sorted(found))


def _size(witness: Record) -> int:
    return len(to_json(witness["case"]))


def without_stale(
    expectations: Iterable[Expectation], results: Results
) -> tuple[list[Expectation], int]:
    """The expectations less what the results found stale, and how many stale cells that covers."""
    kept, gone = list(expectations), 0
    for cell in results.cells:
        if cell["expectation"] != "stale":
            continue
        shorter = [rest for e in kept if (rest := _less(e, cell)) is not None]
        gone += shorter != kept
        kept = shorter
    return kept, gone


def _less(expectation: Expectation, cell: Cell) -> Expectation | None:
    """The expectation without the cell's dtype; ``None`` if that leaves no region."""
    e = expectation
    concerned = e.concerns(cell["property"], cell["device"], cell["dtype"])
    if e.implementation != cell["implementation"] or not concerned:
        return e
    if cell["reason"] is not None and e.reason not in cell["reason"]:
        return e
    condition = e.when.get("dtype")
    left = [d for d in _listed(condition) if d != cell["dtype"]]
    if condition is None or isinstance(condition, Mapping) or not left:
        return None
    witnesses = tuple(w for w in e.witnesses if w["dtype"] in left)
    return replace(e, when={**e.when, "dtype": left}, witnesses=witnesses)


def _listed(condition: Any) -> list[Any]:
    if isinstance(condition, Mapping) or condition is None:
        return [condition]
    return list(condition) if not isinstance(condition, str) else [condition]


def _without(when: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in when.items() if key != name}
