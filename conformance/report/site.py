"""Where things are: the files of a report, the ids in them, and the links between them.

A permalink is a file and an id, made from names alone: the same names give the same link in every
run, whatever else is in the report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from conformance.report.run import Cell, Column

INDEX = "index.html"
LESSON = "softmax-log-nll.html"
RECORDS = ("results.jsonl", "results.jsonl.xz")
"""What the records beside a report may be called: of a run here, and of a published one."""
FOLDER = "implementations"
KILL_MATRIX = "kill-matrix.html"
"""The proof, made by the suite's own tests, that each property can fail."""
FINDINGS = "findings.html"
"""What reasons call ``docs/findings.md``, where a report or a site has it."""
FINDINGS_SOURCE = "findings.md"
"""What a site keeps to make that page of."""

_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_PLAIN_FILE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
# Names that Windows keeps for devices, with or without a suffix.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def anchor(*names: str) -> str:
    """The id of what has these names: readable, and safe and its own whatever the names are."""
    readable = "/".join(re.sub(r"[^A-Za-z0-9._-]+", "-", name) for name in names)
    plain = all(map(_PLAIN.fullmatch, names))
    return readable if plain else f"{readable[:120]}~{_digest(*names)}"


def file_name(implementation: str) -> str:
    """The file of an implementation's page: a name that every file system takes, in the folder.

    Upper case gets a digest, too: some file systems take Loss and loss for one name.
    """
    if _PLAIN_FILE.fullmatch(implementation) and not _DEVICE.fullmatch(implementation):
        return f"{implementation}.html"
    readable = re.sub(r"[^a-z0-9_-]+", "-", implementation.lower()).strip("-")[:60] or "page"
    return f"{readable}~{_digest(implementation)}.html"


def _digest(*names: str) -> str:
    return sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True)
class Place:
    """A page of the report, and the links from it to others."""

    page: str

    def to(self, page: str, *names: str) -> str:
        """The address of a page, or of what has these names on it."""
        up = "../" * self.page.count("/")
        where = "" if page == self.page else quote(up + page)
        return where + ("#" + quote(anchor(*names), safe="/~") if names else "")

    def implementation(self, column: Column) -> str:
        """Its page, or its device's part of the page."""
        page = page_of(column)
        return self.to(page, "device", column.device) if column.shared else self.to(page)

    def group(self, column: Column, slug: str) -> str:
        """What became of a property, in all dtypes."""
        return self.to(page_of(column), column.device, slug)

    def cell(self, cell: Cell) -> str:
        return self.to(page_of(cell.column), cell.column.device, cell.dtype, cell.slug)

    def property(self, slug: str) -> str:
        """Its statement."""
        return self.to(INDEX, "property", slug)


def page_of(column: Column) -> str:
    return f"{FOLDER}/{file_name(column.name)}"
