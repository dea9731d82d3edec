"""The page that explains findings: a Markdown file, and the scripts that it links to.

Reasons name it (``docs/findings.md#heading``); where a report or a site has the page, that is a
link.  The page needs nothing beside it: a script stands below the entry that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from conformance.errors import UsageError
from conformance.report.pages import page, put
from conformance.report.site import FINDINGS, FINDINGS_SOURCE
from conformance.report.witnesses import Seen, led_to_cells

_SCRIPT = re.compile(r"[\w-]+/[\w-]+\.(py|mjs)")
"""Scripts lie in a folder beside the file: nothing else is read, and nothing elsewhere written."""
_PRE = '<details class="script" id="{0}"><summary>The script</summary>\
<pre tabindex="0"><code>{1}</code></pre>\
<p><button type="button" class="copy" hidden>Copy the script</button></p></details>'


@dataclass(frozen=True)
class Prose:
    """The file, and the source of each script that it links to, by its address."""

    text: str
    scripts: Mapping[str, str]


def read_prose(file: Path) -> Prose:
    """The file and its scripts.  ``UsageError`` where one of them is missing or no text."""
    text = _read(file)
    links = (token for block in _parser().parse(text) for token in block.children or ())
    named = {str(token.attrGet("href")) for token in links if token.type == "link_open"}
    found = sorted(filter(_SCRIPT.fullmatch, named))
    why = f", which {file} links to"
    return Prose(text, {name: _read(file.parent / name, why) for name in found})


def _read(path: Path, why: str = "") -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{path}{why}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}{why}: not UTF-8: {error}") from None


def keep(prose: Prose, site: Path) -> None:
    """Put the file and its scripts into a site, of which the page is made.  ``OSError``."""
    put(site / FINDINGS_SOURCE, prose.text)
    for name, source in prose.scripts.items():
        put(site / name, source)


def write_prose(
    prose: Prose, folder: Path, *, back: str, seen: Seen = MappingProxyType({})
) -> None:
    """Write the page into a folder; ``back``: what the index there is called.  ``OSError``."""
    put(folder / FINDINGS, render(prose, back, seen))


def render(prose: Prose, back: str, seen: Seen = MappingProxyType({})) -> str:
    """The page: its title is the first heading; headings have the ids that GitHub gives them.

    ``seen``: where a run shows what an entry says.
    """
    parser, title = _parser(), "Findings"
    tokens = parser.parse(prose.text)
    if tokens and tokens[0].tag == "h1":
        title, tokens = tokens[1].content, tokens[3:]
    _name_headings(tokens)
    for token in tokens:
        _lead_somewhere(token.children or (), prose.scripts)
        if token.children:
            token.children = list(led_to_cells(token.children, seen))
    body = parser.renderer.render(_with_scripts(tokens, prose.scripts), parser.options, {})
    headings = [
        (str(token.attrGet("id")), inline.content)
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    return page("findings.html.j2", title=title, body=Markup(body), headings=headings, back=back)


def _parser() -> MarkdownIt:
    """HTML is shown as text, and pictures are links: the page loads nothing."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def _name_headings(tokens: Sequence[Token]) -> None:
    seen = {"verdict": 0, "theme": 0}  # the page's own
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            plain = re.sub(r"[^\w\- ]", "", inline.content.lower()).replace(" ", "-")
            count = seen[plain] = seen.get(plain, -1) + 1
            token.attrSet("id", f"{plain}-{count}" if count else plain)


def _lead_somewhere(tokens: Sequence[Token], scripts: Mapping[str, str]) -> None:
    """A link to a script leads to where it stands; one to any other file, not here, is none."""
    for at, token in enumerate(tokens):
        if token.type != "link_open":
            continue
        address = str(token.attrGet("href"))
        if address in scripts:
            token.attrSet("href", "#" + _id(address))
        elif not re.match(r"https?://|#", address):
            close = next(t for t in tokens[at:] if t.type == "link_close")
            token.tag = close.tag = "span"
            token.attrs = {}


def _with_scripts(tokens: Sequence[Token], scripts: Mapping[str, str]) -> list[Token]:
    """The tokens, and each script once: after the outermost block that first names it."""
    found, waiting, shown = [], list[str](), set[str]()
    for token in tokens:
        found.append(token)
        for child in token.children or ():
            name = next((n for n in scripts if child.attrGet("href") == "#" + _id(n)), None)
            if name and name not in shown:
                shown.add(name)
                waiting.append(name)
        if token.level == 0 and token.nesting <= 0:
            for name in waiting:
                content = Markup(_PRE).format(_id(name), scripts[name])
                found.append(Token("html_block", "", 0, content=content))
            waiting = []
    return found


def _id(script: str) -> str:
    return script.rpartition("/")[2]
