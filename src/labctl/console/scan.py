"""Patterns in a line as it grows: each fires at the earliest byte at which it holds.

Patterns hold at any longer text that begins alike and match at most WINDOW bytes. So the byte at
which one first holds can be found by bisection, whatever pieces the line came in, and a long line
that comes in small pieces is not searched from its beginning each time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

WINDOW = 512
"""The most bytes a pattern may match."""


class Hit(NamedTuple):
    """A pattern that holds: the byte behind it, its number, its match."""

    end: int
    number: int
    match: re.Match[bytes]


class Scanner:
    """Looks for several patterns in one growing line after another.

    A hit uses up what is before its end: nothing that begins there fires again. Of patterns that
    hold at the same byte the first in order fires.
    """

    def __init__(self, patterns: Sequence[re.Pattern[bytes]]) -> None:
        self._patterns = tuple(patterns)
        self._floor = 0
        self._seen = 0

    def restart(self) -> None:
        """Another line begins."""
        self._floor = self._seen = 0

    def shorten(self, length: int) -> None:
        """The line was cut to `length` bytes by backspaces."""
        self._floor = min(self._floor, length)
        self._seen = min(self._seen, length)

    def hits(self, text: bytearray) -> list[Hit]:
        """What holds in the line now that did not before, in order."""
        if len(text) == self._seen:
            return []
        found = []
        upcoming = [self._first(text, number) for number in range(len(self._patterns))]
        while (hit := min(filter(None, upcoming), default=None)) is not None:
            found.append(hit)
            self._floor = self._seen = hit.end
            for number, later in enumerate(upcoming):
                if later is not None and later.match.start() < hit.end:
                    upcoming[number] = self._first(text, number)
        self._seen = len(text)
        return found

    def _first(self, text: bytearray, number: int) -> Hit | None:
        """The earliest byte at which a pattern holds."""
        pattern = self._patterns[number]
        best = pattern.search(text, max(self._floor, self._seen - WINDOW))
        if best is None:
            return None
        # All matches begin where the leftmost does or later; one of them may end earlier.
        begin = best.start()
        low = max(begin, self._seen)
        while best.end() - low > 1:
            middle = (low + best.end()) // 2
            shorter = pattern.search(text, begin, middle)
            if shorter is None:
                low = middle
            else:
                best = shorter
        return Hit(best.end(), number, best)
