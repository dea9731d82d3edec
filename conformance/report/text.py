"""Words and numbers for readers, and the care that text from outside needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from conformance.records.visible import UNSEEN
from conformance.records.visible import visible as text_visible

LONGEST = 1500
"""Messages and reasons are cut here; the records keep them whole."""

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_REFERENCE = re.compile(
    r"https?://[^\s<>\"'()\[\]]*[^\s<>\"'()\[\].,;:]"
    r"|(?<![\w./-])docs/findings\.md\b(?:#(?P<heading>[\w-]*\w))?"
    r"|(?<![\w./-])(?P<where>[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})#(?P<issue>\d{1,9})\b"
)
_CUT = re.compile(r"[^\s]* … \(")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def visible(text: str) -> str:
    """The text with characters that are not seen written as escapes; markup is left alone."""
    if isinstance(text, Markup):
        return text
    return text_visible(text)


def clip(text: str, longest: int = LONGEST) -> str:
    """The text, or its beginning and how much is missing."""
    left = len(text) - longest
    return text if left <= 0 else f"{text[:longest]} … ({left:,} more characters)"


def spelled(count: int, one: str = "", many: str = "") -> str:
    """A count in a sentence: ``three cells``; figures above twelve."""
    figure = _SMALL[count] if 0 <= count < len(_SMALL) else f"{count:,}"
    return f"{figure} {one if count == 1 else many or one + 's'}".rstrip() if one else figure


def counted(count: int, one: str, many: str = "") -> str:
    """A count in figures: ``3 cells``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(items: Iterable[str], most: int = 6) -> str:
    """``a, b and c``; ``a, b and 7 more`` where there are many."""
    found = list(items)
    if len(found) > most:
        found = [*found[: most - 1], f"{len(found) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))


def percent(part: int, whole: int) -> str:
    """A floored percentage: 100 % means all.  A dash where there is nothing to divide by."""
    return f"{100 * part // whole} %" if whole else "–"


def number(value: object) -> str:
    """A measured number with two or three figures; records write non-finite ones as strings."""
    x = float(str(value))
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == 0 or 0.001 <= abs(x) < 10000:
        digits = 2 if abs(x) < 1 else 3
        return f"{x:.{digits}g}" if abs(x) < 1000 else f"{x:,.0f}"
    mantissa, exponent = f"{x:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def share(ratio: object) -> str:
    """How an error relates to its bound: ``0.31 of the bound``, ``1,437 times the bound``."""
    return f"{number(ratio)} {'times' if float(str(ratio)) > 1 else 'of'} the bound"


def seconds(value: float) -> str:
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value / 60:.0f} min"


def link(url: object, text: str = "") -> Markup:
    """A link if the address is plain http(s), else its text: nothing else becomes an address."""
    address = str(url)
    try:
        parts = urlsplit(address)
        safe = parts.scheme in ("http", "https") and bool(parts.netloc)
    except ValueError:
        safe = False
    label = escape(visible(clip(text or _short(address), 200)))
    if not safe or UNSEEN.search(address) or any(c.isspace() for c in address):
        return Markup("<bdi>{}</bdi>").format(label)
    return Markup('<a href="{}" rel="noopener noreferrer"><bdi>{}</bdi></a>').format(address, label)


def said(text: str, findings: str = "") -> Markup:
    """A text in which addresses, and issues written as ``owner/name#12``, are links.

    ``findings``: the address of the page that a reason calls ``docs/findings.md``, if there is one.
    """
    parts, end = [], 0
    for match in _REFERENCE.finditer(text):
        if _CUT.match(text, match.end()):
            continue  # the end of the address is missing
        if match[0].startswith("docs/"):
            if not findings:
                continue
            found = _to_findings(findings, match)
        elif match["issue"]:
            address = f"https://github.com/{match['where']}/issues/{match['issue']}"
            found = link(address, match[0])
        else:
            found = link(match[0], match[0])
        parts += [escape(visible(text[end : match.start()])), found]
        end = match.end()
    return Markup("").join([*parts, escape(visible(text[end:]))])


def _to_findings(page: str, match: re.Match[str]) -> Markup:
    address = page + (f"#{quote(match['heading'])}" if match["heading"] else "")
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(address, match[0].partition("#")[0])


def _short(address: str) -> str:
    """``owner/name#12`` for an issue, pull request or commit of GitHub; else less its scheme."""
    match = re.fullmatch(
        r"https://github\.com/([^/]+/[^/]+)/(?:issues|pull)/(\d+)(?:[#?].*)?", address
    )
    return f"{match[1]}#{match[2]}" if match else re.sub(r"^https?://(www\.)?", "", address)
