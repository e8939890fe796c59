"""Colours and tables for plain text.

No dependency, no dataclasses: `labctl status` must start fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_CODES = {"bold": "1", "dim": "2", "good": "32", "warn": "33", "bad": "31", "": ""}


class Paint(NamedTuple):
    """Wraps text in ANSI colours, or leaves it as it is."""

    enabled: bool = False

    def __call__(self, style: str, text: str) -> str:
        """`text` in `style`: bold, dim, good, warn or bad; "" for none."""
        code = _CODES[style]
        return f"\x1b[{code}m{text}\x1b[0m" if self.enabled and code else text


class Cell(NamedTuple):
    """One field of a table, with its style."""

    text: str
    style: str = ""


def table(
    header: Sequence[str], rows: Sequence[Sequence[str | Cell]], paint: Paint, *, indent: str = ""
) -> list[str]:
    """Columns aligned by two blanks, as wide as their widest field; the last is never padded."""
    cells = [[c if isinstance(c, Cell) else Cell(c) for c in row] for row in rows]
    head = [Cell(text, "bold") for text in header]
    widths = [max(len(row[i].text) for row in [head, *cells]) for i in range(len(head))]
    return [_row(row, widths, paint, indent) for row in [head, *cells]]


def _row(row: Sequence[Cell], widths: Sequence[int], paint: Paint, indent: str) -> str:
    last = len(row) - 1
    while last > 0 and not row[last].text:
        last -= 1
    fields = [
        paint(cell.style, cell.text) + ("" if i == last else " " * (width - len(cell.text)))
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        if i <= last
    ]
    return indent + "  ".join(fields)


def duration(seconds: float) -> str:
    """A time span as people say it: `8 s`, `1 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def size(number: int) -> str:
    """Bytes in the unit that suits: `12 bytes`, `61.0 MiB`, `1.9 GiB`."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number} bytes"


def percent(done: int, total: int) -> str:
    """`37 %`; all of nothing is `100 %`."""
    return f"{100 * done // total if total else 100} %"


def count(number: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clean(text: str) -> str:
    """Device output made safe for a terminal: no control characters but tab."""
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text)
