"""Reading the pages of a report."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from conformance.report import build_report

VOID = {"meta", "link", "input", "br", "img", "hr", "col", "wbr"}


class Page(HTMLParser):
    """The elements of a page, checked for balance as they come."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        assert len(attributes) == len(dict(attributes)), (tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.open[-3:], self.getpos())

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    def all(self, name: str) -> Iterator[str]:
        return (value for _, a in self.elements if (value := a.get(name)) is not None)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def read(folder: Path) -> dict[str, str]:
    """The pages of a report by their path in its folder."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {name.as_posix(): path.read_text(encoding="utf-8") for name, path in found.items()}


def built(found: list[dict[str, Any]], folder: Path) -> str:
    return build_report(found, folder).read_text(encoding="utf-8")


def built_all(found: list[dict[str, Any]], folder: Path) -> dict[str, Page]:
    build_report(found, folder)
    return {name: Page(text) for name, text in read(folder).items()}


def dead_links(pages: dict[str, Page]) -> list[tuple[str, str]]:
    """The links within a report that lead nowhere: (page, address)."""
    ids = {name: set(page.all("id")) for name, page in pages.items()}
    dead = []
    for name, page in pages.items():
        for href in page.all("href"):
            parts = urlsplit(href)
            if parts.scheme:
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), parts.path))
            target = name if not parts.path else unquote(target)
            fragment = unquote(parts.fragment)
            if target not in pages or (fragment and fragment not in ids[target]):
                dead.append((name, href))
    return dead
