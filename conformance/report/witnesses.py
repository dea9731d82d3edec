"""Where a run shows what the page of findings says: the cells of the implementations it names.

An entry says which properties found it, and in brackets in which implementations; each of these
names leads to the first cell of such a property that did not pass, or has a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from markdown_it.token import Token

from conformance.report.run import Record, arrange
from conformance.report.site import FINDINGS, Place

Seen = Mapping[tuple[str, str], str]
"""The address of a cell, by implementation and property."""
_NAME = re.compile(r"([\w.-]*\w)")


def seen_in(records: Iterable[Record], folder: str = "") -> dict[tuple[str, str], str]:
    """What the records of a run, whose report is in ``folder``, show of each implementation."""
    here, found = Place(FINDINGS), dict[tuple[str, str], str]()
    for cell in arrange(records).cells:
        if cell.status.detailed or cell.record["label"]:
            found.setdefault((cell.column.name, cell.slug), folder + here.cell(cell))
    return found


def led_to_cells(tokens: Iterable[Token], seen: Seen) -> Iterator[Token]:
    """The tokens of a paragraph, in which names of implementations lead to the cells that show it.

    The properties are those that the paragraph has named before, as code.
    """
    slugs, depth = list[str](), 0
    for token in tokens:
        depth += token.nesting
        if token.type == "code_inline":
            slugs.append(token.content)
        if token.type == "text" and slugs and not depth:
            yield from _with_links(token, slugs, seen)
        else:
            yield token


def _with_links(text: Token, slugs: Iterable[str], seen: Seen) -> Iterator[Token]:
    for word in _NAME.split(text.content):
        address = next((seen[word, slug] for slug in slugs if (word, slug) in seen), None)
        content = Token("text", "", 0, content=word, level=text.level)
        if address is None:
            yield content
        else:
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield content
            yield Token("link_close", "a", -1)
