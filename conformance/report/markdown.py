"""A run as a job summary in Markdown: the verdict, the implementations, what nobody expected.

Text from outside stands in code, where Markdown has no say: in a fence longer than any in the text,
between backticks, or as ``<code>`` in which every sign is a character reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from conformance.records.results import VERDICT_LEVELS, Results, is_unexpected
from conformance.records.words import in_words
from conformance.report import harm, verdict
from conformance.report.disagreement import witness_size
from conformance.report.run import Cell, Run, arrange
from conformance.report.text import clip, counted, listed, visible

LARGEST = 2**20
"""Bytes that GitHub takes for one step; more, and it shows nothing at all."""

LONGEST = 1500
"""Characters of a message."""


def summary(
    results: Results,
    path: Path,
    levels: Sequence[str] = VERDICT_LEVELS,
    adapters: Mapping[str, str] = MappingProxyType({}),
    *,
    room: int = LARGEST,
) -> str:
    """The Markdown of a run, of at most ``room`` bytes.

    ``path`` is where the results are and ``adapters`` where the implementations are that cannot be
    found by their names: both for the commands that replay a finding.
    """
    run = arrange(results.records())
    groups = _together([c for c in run.cells if is_unexpected(c.record, levels)])  # type: ignore[arg-type]
    parts = [_head(run, levels), _table(run, levels)]
    parts += [_finding(run, group, path, adapters) for group in groups]
    return _within(parts, room)


def _head(run: Run, levels: Sequence[str]) -> str:
    lines = ["## Cross-entropy conformance", ""]
    if not run.footer:
        lines += ["**This run is incomplete:** it was cut short, and the rest was not asked.", ""]
    lines += [f"**{verdict.headline(run)}**", ""]
    if tuple(levels) != VERDICT_LEVELS:
        lines += [f"Only failures at the level {listed(levels)} count.", ""]
    about = f"Profile {_code(run.header['profile'])}, seed {run.header['seed']}"
    suite = f"suite {_code(run.header['suite']['version'] or 'unknown')}"
    return "\n".join([*lines, f"{about}, {suite}: {counted(len(run.cells), 'cell')}.", ""])


def _table(run: Run, levels: Sequence[str]) -> str:
    lines = [
        "| implementation | score | coverage | unexpected | known | not run |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for column in run.columns:
        cells = run.of(column)
        found = verdict.score(cells)
        unexpected = sum(is_unexpected(c.record, levels) for c in cells)  # type: ignore[arg-type]
        numbers = (
            f"{found.score} ({found.passed} of {found.judged})",
            f"{found.coverage} (of {found.applicable})",
            f"**{unexpected}**" if unexpected else "0",
            sum(cell.status.name == "known" for cell in cells),
            sum(cell.status.name == "not-run" for cell in cells),
        )
        lines.append(f"| {_code(column.label)} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join([*lines, ""])


def _together(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Failures of one property of one implementation in one way, over all dtypes; worst first."""
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in sorted(cells, key=harm.severity):
        witness = cell.record["witness"]
        way = witness["kind"] if witness else None
        groups.setdefault((cell.column, cell.slug, cell.status, way), []).append(cell)
    return list(groups.values())


def _finding(run: Run, group: list[Cell], path: Path, adapters: Mapping[str, str]) -> str:
    kept = [cell for cell in group if cell.record["witness"]]
    cell = min(kept, key=witness_size) if kept else group[0]
    dtypes = ", ".join(_code(c.dtype) for c in group)
    record = cell.record
    said = [record["message"] or record["reason"] or cell.status.meaning]
    if record["witness"]:
        said += [f"    {line}" for line in in_words(record["witness"])]
    lines = [
        f"### {cell.status.glyph} {cell.status.name}: {_code(cell.column.name)} {_code(cell.slug)}",
        "",
        f"{cell.level}, in {dtypes} on {_code(cell.column.device)}. The property: "
        f"{_code(str(run.properties[cell.slug]['statement']))}",
        "",
        _block(clip("\n".join(said), LONGEST)),
    ]
    if record["witness"]:
        lines.append(_block(_replay(cell, path, adapters), "console"))
    return "\n".join(lines)


def _replay(cell: Cell, path: Path, adapters: Mapping[str, str]) -> str:
    adapter = adapters.get(cell.column.name)
    words = f"$ conformance replay {_quoted(str(path))} --cell {_quoted(cell.id)}"
    return words + (f" --adapter {_quoted(adapter)}" if adapter else "")


def _quoted(word: str) -> str:
    """A word of a command, as a shell takes it."""
    return word if re.fullmatch(r"[\w./:@+-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def _within(parts: list[str], room: int) -> str:
    """The parts that fit, and how many do not."""
    kept, size = "", 0
    for number, part in enumerate(parts):
        rest = len(parts) - number
        note = f"… and {counted(rest, 'more finding')}: the report has them all.\n"
        text = part + "\n"
        if size + len(text.encode()) + len(note.encode()) > room:
            return kept + note if size + len(note.encode()) <= room else kept
        kept, size = kept + text, size + len(text.encode())
    return kept


def _code(text: str) -> str:
    """A line of foreign text within a sentence or a table."""
    text = " ".join(visible(clip(text, 300)).split())
    if text and not set("`|") & set(text):
        return f"`{text}`"
    signs = re.sub(r"[!-/:-@\[-`{-~]", lambda sign: f"&#{ord(sign[0])};", text)
    return f"<code>{signs}</code>"


def _block(text: str, language: str = "text") -> str:
    """Foreign text of several lines."""
    text = visible(text)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}\n"
