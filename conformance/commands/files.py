"""What a file holds that somebody names on the command line."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from conformance.contract.capabilities import did_you_mean
from conformance.errors import RecordsError, UsageError
from conformance.records.results import Cell, read_results
from conformance.records.schema import Record, parse, read_lines, read_text
from conformance.records.witness import read_witness


def kind_of(file: Path) -> str:
    """What a file holds: witness, known, history or results.  The reader of that kind judges it."""
    with suppress(RecordsError):  # of a results file the first line is enough
        first = parse(next(read_lines(file), b""), str(file))
        if isinstance(first, dict) and first.get("kind") == "header":
            return "results"
    try:
        content = parse(read_text(file), str(file))
    except RecordsError:
        return "results"
    if not isinstance(content, dict) or "kind" not in content or "case" in content:
        return "known" if isinstance(content, dict) and "expectations" in content else "witness"
    return "history" if content["kind"] == "history" else "results"


def witness_in(file: Path, cell_id: str | None) -> tuple[Record, str | None]:
    """The witness in a file, and its adapter's source where the file has that.

    ``UsageError`` where a results file has no such witness, or several.
    """
    if kind_of(file) == "witness":
        return read_witness(file), None
    results = read_results(file)
    cells = {cell["id"]: cell for cell in results.cells}
    kept = {id: cell["witness"] for id, cell in cells.items() if cell["witness"]}
    if cell_id is None and len(kept) == 1:
        cell_id = next(iter(kept))
    if cell_id is None:
        some = "\n".join(f"  --cell {id}" for id in list(kept)[:10])
        many = f"; say which, of {len(kept)}:\n{some}" if kept else ""
        raise UsageError(f"{file} has {len(kept)} failing cases{many}")
    if cell_id not in cells:
        raise UsageError(f"{file} has no failing case {cell_id}{did_you_mean(cell_id, kept)}")
    witness = kept.get(cell_id)
    if witness is None:
        raise UsageError(f"{cell_id} {_why_not(cells[cell_id])}, so there is no case to replay")
    entries = {entry["name"]: entry for entry in results.header["implementations"]}
    return witness, entries[cells[cell_id]["implementation"]]["adapter"]


def _why_not(cell: Cell) -> str:
    """Why a cell has no witness."""
    if cell["outcome"] == "pass":
        asked = cell["examples"]["corpus"] + cell["examples"]["searched"]
        return f"passed {asked} cases in this run"
    said = cell["message"] or cell["reason"] or "nothing was recorded"
    return f"ended as {cell['outcome']} without a case that could be kept ({said[:500]})"
