"""Text from outside, fit to be shown: in a terminal, in a page, in a script."""

from __future__ import annotations

import re

# Control characters, surrogates, and marks that reorder or hide the text around them.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with characters that are not seen, or that command a terminal, as escapes."""
    return UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
