"""A golden image, as the store's manifest records it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Image:
    """An immutable base qcow2. Sizes in bytes, `mtime_ns` as stat gives it."""

    name: str
    path: Path
    sha256: str
    size: int
    virtual_size: int
    mtime_ns: int
    imported: str
    """ISO 8601 UTC."""
    source: str
    verified: str
    """When its bytes were last read and hashed, ISO 8601 UTC."""
