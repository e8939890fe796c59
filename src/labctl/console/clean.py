"""A serial stream made readable piece by piece, each byte of text with the offset it came from.

What a terminal would not show is dropped: carriage returns, escape sequences, telnet commands,
NULs and other control characters. A sequence that the end of a piece cuts is kept back until its
rest is there, so that any split of a stream gives the same text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_NOISE = re.compile(
    # What may yet become one of the sequences below, at the end of what there is.
    rb"(?P<open>(?:\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|\][^\x07\x1b\n]{0,256}\x1b?|[ -/]{0,8})?"
    rb"|\xff(?:[\xfb-\xfe]|\xfa[^\xff\n]{0,64}\xff?)?)\Z)"
    # ECMA-48: CSI (OVMF's `ESC[=3h` too), OSC, two characters and character sets.
    rb"|\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,256}(?:\x07|\x1b\\)|[ -/]{0,8}[0-~])"
    # RFC 854: IAC with an option, a subnegotiation, or a command. No UTF-8 has a byte 0xff.
    rb"|\xff(?:[\xfb-\xfe][^\n]|\xfa[^\xff\n]{0,64}\xff\xf0|[\xf0-\xf9\xff])"
    rb"|(?P<mark>[\n\x08])"
    rb"|[\x00-\x07\x0b-\x1a\x1c-\x1f\x7f]+|[\x1b\xff]"
)
ERASE = b"\x08"
NEWLINE = b"\n"


class Piece(NamedTuple):
    """Clean text and the offset of its first byte; or ERASE, or NEWLINE."""

    data: bytes
    offset: int


class Cleaner:
    """Takes a stream's bytes as they come, gives the text in them."""

    def __init__(self) -> None:
        self._kept = b""
        self._offset = 0

    @property
    def offset(self) -> int:
        """How many bytes came so far."""
        return self._offset + len(self._kept)

    def feed(self, data: bytes) -> list[Piece]:
        """The text in the next bytes."""
        data = self._kept + data
        pieces = []
        start, end = 0, len(data)
        for match in _NOISE.finditer(data):
            if match.start() > start:
                pieces.append(Piece(data[start : match.start()], self._offset + start))
            start = match.end()
            if match.lastgroup == "open":
                start = end = match.start()
            elif match.lastgroup == "mark":
                pieces.append(Piece(match.group(), self._offset + match.start()))
        if start < end:
            pieces.append(Piece(data[start:end], self._offset + start))
        self._kept = data[end:]
        self._offset += end
        return pieces


class GrowingLine:
    """The line that is being written: clean text, and where in the stream each byte stood."""

    def __init__(self, offset: int = 0) -> None:
        self.text = bytearray()
        self._start = offset
        self._runs: list[tuple[int, int]] = []  # where in the text a piece begins, and its offset

    def add(self, data: bytes, offset: int) -> None:
        """Text that stood at `offset`."""
        self._runs.append((len(self.text), offset))
        self.text += data

    def erase(self) -> None:
        """A backspace. Devices erase with it: what they print over is written anew."""
        del self.text[-1:]
        while self._runs and self._runs[-1][0] >= len(self.text) > 0:
            self._runs.pop()
        if not self.text:
            self._runs.clear()

    @property
    def offset(self) -> int:
        """Where the line began."""
        return self._start

    def offset_of(self, index: int) -> int:
        """Where the byte of the text at `index` stood."""
        if not self._runs:
            return self._start
        begin, offset = self._runs[bisect_right(self._runs, (index, 1 << 62)) - 1]
        return offset + index - begin
