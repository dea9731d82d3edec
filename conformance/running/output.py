"""What an implementation printed, bounded, and cut where one cell ends and the next begins.

Output and reports travel through two pipes, so that only a mark in the output itself can tell what
was printed before a report.  The worker leaves one at every border (see ``child``).
"""

from __future__ import annotations

import re
from collections import deque

KEPT = 1024
"""Bytes that are kept of the beginning and of the end of what a cell printed."""

LINE = 1_000
"""Bytes of a line that is left out as a whole where it is cut."""
_WHERE = re.compile(r"(?:/[^\s/'\":]+)+/lib/(?=python\d+\.\d+/)")
"""Where on a machine a Python and its packages lie: records tell nobody about the machine."""


class Output:
    """Output on its way in, cut at the marks."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._held = b""  # perhaps the beginning of a mark
        self._part = _Part()
        self._cut: deque[_Part] = deque()

    def feed(self, chunk: bytes) -> None:
        """Take in what was read."""
        *whole, rest = (self._held + chunk).split(self._mark)
        for content in whole:
            self._part.add(content)
            self._cut.append(self._part)
            self._part = _Part()
        unsure = max(0, len(rest) - len(self._mark) + 1)
        self._held = rest[unsure:]
        self._part.add(rest[:unsure])

    def next(self) -> str | None:
        """What was printed up to the first mark not yet passed, which is passed now."""
        return self._cut.popleft().text() if self._cut else None

    def rest(self) -> str | None:
        """What was printed behind the last mark, when no more will come."""
        self._part.add(self._held)
        self._held = b""
        return self._part.text()


class _Part:
    """The beginning and the end of some output."""

    def __init__(self) -> None:
        self.head, self.tail, self.left_out = b"", b"", 0

    def add(self, content: bytes) -> None:
        room = KEPT - len(self.head)
        tail = self.tail + content[room:]
        self.head += content[:room]
        self.tail = tail[-KEPT:]
        self.left_out += len(tail) - len(self.tail)

    def text(self) -> str | None:
        """As text; None where there is none."""
        if not self.left_out:
            return _told(self.head + self.tail) or None
        # Half a line may be half a path, of which nobody could tell that it says where this runs.
        head, tail = self.head, self.tail
        if len(end := head.rpartition(b"\n")[2]) < LINE:
            head = head.removesuffix(end)
        if len(begin := tail.partition(b"\n")[0]) < LINE:
            tail = tail.removeprefix(begin)
        left_out = self.left_out + len(self.head + self.tail) - len(head + tail)
        said = f"\n[... {left_out:,} bytes left out ...]\n"
        return _told(head).removesuffix("\n") + said + _told(tail).removeprefix("\n")


def _told(content: bytes) -> str:
    return _WHERE.sub("", content.decode("utf-8", "replace"))
