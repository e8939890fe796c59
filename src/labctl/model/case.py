"""A quarantine case: a damaged image put aside as evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """What its `case.json` records. It never changes once the case is sealed."""

    id: str
    """The day it was opened and the short digest, as 20261126-0123456789ab."""
    opened: str
    """ISO 8601 UTC."""
    source: str
    """Where the file was."""
    file: str
    """Its name in the case's folder."""
    format: str
    sha256: str
    """As it was imported; of a file that was in no store, as it was when the case was opened."""
    moved: bool
    """Taken out of the store, rather than copied from elsewhere."""
    inode: int
    names: tuple[str, ...] = ()
    """What it was called in the store."""
    nodes: tuple[str, ...] = ()
    """LAB/NODE of those whose disks stood on it."""
    note: str = ""
