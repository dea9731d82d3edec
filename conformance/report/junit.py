"""A run as JUnit XML, in the form that Jenkins and Surefire's readers agree on: a suite for each
implementation, a test case for each cell.

Known failures and what is unsupported are skipped with their reason; what could not be asked, died
or hung is an error.  A failure at a level that does not count is skipped, too: the file says what
the exit code says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as XML

from conformance.records.results import (
    UNOFFERED,
    VERDICT_LEVELS,
    Cell,
    Implementation,
    Results,
    is_unexpected,
)
from conformance.records.words import in_words
from conformance.report.text import clip, visible

LONGEST = 10_000
"""Characters of a message; of its first line, which readers show in lists, fewer."""

ERRORS = ("error", "crash", "timeout", "not-run")

# What XML 1.0 forbids, beyond the control characters that are made visible anyway.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def junit(results: Results, levels: Sequence[str] = VERDICT_LEVELS) -> str:
    """The XML document of a run.  ``levels`` are those whose failures count."""
    root = XML.Element("testsuites", name="cross-entropy conformance")
    counts: Counter[str] = Counter()
    for entry in results.header["implementations"]:
        cells = [c for c in results.cells if c["implementation"] == entry["name"]]
        suite, found = _suite(results, entry, cells, levels)
        root.append(suite)
        counts += found
    if not results.complete:
        root.append(_truncated(results))
        counts += Counter(tests=1, errors=1)
    seconds = sum(cell["seconds"] for cell in results.cells)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(counts[name]))
    root.set("time", f"{seconds:.3f}")
    XML.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + XML.tostring(root, "unicode") + "\n"


def _suite(
    results: Results, entry: Implementation, cells: list[Cell], levels: Sequence[str]
) -> tuple[Any, Counter[str]]:
    suite = XML.Element("testsuite", name=_text(entry["name"]))
    properties = XML.SubElement(suite, "properties")
    for name, value in _about(results, entry).items():
        XML.SubElement(properties, "property", name=name, value=_text(value))
    cases = [_case(cell, levels) for cell in cells]
    suite.extend(cases)
    ways = Counter(child.tag for case in cases for child in case)
    counts = Counter(
        tests=len(cases), failures=ways["failure"], errors=ways["error"], skipped=ways["skipped"]
    )
    for name in ("tests", "failures", "errors", "skipped"):
        suite.set(name, str(counts[name]))
    suite.set("time", f"{sum(cell['seconds'] for cell in cells):.3f}")
    suite.set("timestamp", results.header["started"].rstrip("Z"))
    return suite, counts


def _about(results: Results, entry: Implementation) -> dict[str, str]:
    header = results.header
    version = " ".join(filter(None, (entry["distribution"], entry["version"])))
    return {
        "run": header["run"],
        "suite": header["suite"]["version"] or "",
        "profile": header["profile"],
        "seed": str(header["seed"]),
        "version": version or "unknown",
    }


def _case(cell: Cell, levels: Sequence[str]) -> Any:
    place = ".".join((cell["implementation"], cell["device"], cell["dtype"]))
    case = XML.Element(
        "testcase",
        name=_text(cell["property"]),
        classname=_text(place),
        time=f"{cell['seconds']:.3f}",
    )
    if (tag := _tag(cell, levels)) is None:
        return case
    said = _said(cell, tag)
    first = _text(said.splitlines()[0] if said else cell["outcome"], 300)
    child = XML.SubElement(case, tag, type=cell["expectation"] or cell["outcome"], message=first)
    child.text = _text(said) if tag != "skipped" else None
    return case


def _tag(cell: Cell, levels: Sequence[str]) -> str | None:
    """What a case is besides passed."""
    if cell["outcome"] in UNOFFERED or cell["expectation"] == "known":
        return "skipped"
    if cell["outcome"] in ERRORS:
        return "error"
    if is_unexpected(cell, levels):
        return "failure"
    return None if cell["outcome"] == "pass" else "skipped"


def _said(cell: Cell, tag: str) -> str:
    """What there is to say about a cell: its message, its reason, its counterexample."""
    if cell["expectation"] == "known":
        return f"known: {cell['reason']}" + (f" ({cell['link']})" if cell["link"] else "")
    lines = [cell["message"], cell["reason"]]
    if tag == "skipped" and cell["outcome"] == "fail":
        lines = [f"does not count at the level {cell['level']}: {cell['message']}"]
    elif cell["witness"]:
        lines += ["", "The smallest counterexample:", *in_words(cell["witness"])]
    return "\n".join(line for line in lines if line is not None)


def _truncated(results: Results) -> Any:
    """A run without its end is an error, whatever its cells say."""
    suite = XML.Element("testsuite", name="run", tests="1", failures="0", errors="1", skipped="0")
    case = XML.SubElement(suite, "testcase", name="complete", classname="run", time="0.000")
    message = f"truncated: no footer, {len(results.cells)} cells; the rest was not asked"
    XML.SubElement(case, "error", type="truncated", message=message)
    return suite


def _text(text: str, longest: int = LONGEST) -> str:
    """Text that an XML document may hold."""
    return _FORBIDDEN.sub(lambda m: f"\\u{ord(m[0]):04x}", visible(clip(text, longest)))
