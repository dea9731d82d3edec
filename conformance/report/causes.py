"""What goes wrong, and why: findings that have one reason, together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from conformance.report.harm import severity
from conformance.report.run import Cell, Run
from conformance.report.status import Status


@dataclass(frozen=True)
class Cause:
    """Cells that ended in one way, for one recorded reason or in one property; the worst first."""

    status: Status
    cells: tuple[Cell, ...]

    @property
    def worst(self) -> Cell:
        return self.cells[0]

    @property
    def reason(self) -> str:
        """The recorded reason; where nobody gave one, what was said of the worst cell."""
        record = self.worst.record
        return str(record["reason"] or record["message"] or "nothing was said")

    @property
    def link(self) -> str:
        """Where one reads more of it."""
        return next((str(link) for cell in self.cells if (link := cell.record["link"])), "")

    @property
    def labels(self) -> list[str]:
        """The implementations that are concerned."""
        return list(dict.fromkeys(cell.column.label for cell in self.cells))

    @property
    def examples(self) -> list[Cell]:
        """The worst cell of each implementation."""
        return list({cell.column: cell for cell in reversed(self.cells)}.values())[::-1]

    @property
    def slugs(self) -> list[str]:
        return list(dict.fromkeys(cell.slug for cell in self.cells))

    @property
    def regimes(self) -> list[str]:
        """The regimes of the smallest counterexamples."""
        return list(dict.fromkeys(filter(None, map(_regime, self.cells))))

    def places(self, run: Run) -> str:
        """``3.17.1.0``, a group a cell, the worst first: what the page's filters ask of it.

        By their numbers: the column, the property and the dtype, as the matrix has them, and the
        regime of its counterexample among ``regimes``.
        """
        columns = {column: n for n, column in enumerate(run.columns)}
        slugs = {p["slug"]: n for n, p in enumerate(chain(*run.families.values()))}
        regimes = {regime: n for n, regime in enumerate(self.regimes)}
        return " ".join(
            f"{columns[c.column]}.{slugs[c.slug]}.{run.dtypes.index(c.dtype)}"
            f".{regimes.get(_regime(c), '')}"
            for c in self.cells
        )

    def every(self, facet: str) -> str:
        """The values of a facet among the cells, for the page's filters."""
        return " ".join(dict.fromkeys(getattr(cell, facet) for cell in self.cells))


def _regime(cell: Cell) -> str:
    witness = cell.record["witness"]
    return str(witness["case"]["regime"] or "") if witness else ""


def causes(cells: Iterable[Cell]) -> list[Cause]:
    """The causes of what did not pass: the unexpected first, then by how much they explain."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if cell.status.detailed:
            why = str(cell.record["reason"] or "")
            groups.setdefault((cell.status.name, why or "/" + cell.slug), []).append(cell)
    found = [
        Cause(group[0].status, tuple(sorted(group, key=severity))) for group in groups.values()
    ]
    return sorted(found, key=lambda c: (not c.worst.unexpected, -len(c.labels), -len(c.cells)))
