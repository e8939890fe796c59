"""An image as its publisher has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownImage:
    """A published image file: a copy of other size or MD5 was changed, or is another file."""

    file: str
    size: int
    """In bytes."""
    md5: str
    """32 hexadecimal digits, lower case."""
    source: str
    """Who tells size and MD5."""
