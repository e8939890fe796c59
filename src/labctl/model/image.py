"""A golden image, as the store's manifest records it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

NEVER = "1970-01-01T00:00:00+00:00"
"""When an image was last verified that is known to be damaged, or of which nothing is known."""


class Provenance(StrEnum):
    """What comparing a file with the published sizes and digests proves."""

    PRISTINE = "pristine"
    """Byte for byte a published file."""
    MODIFIED = "modified"
    """Named as a published file and another one: booted from, or changed by somebody."""
    UNKNOWN = "unknown"
    """No published file of that name is known."""
    SALVAGED = "salvaged"
    """Put together from a damaged image: never more than that again."""


class Given(NamedTuple):
    """The file an image was imported from, as it was given."""

    format: str = "qcow2"
    size: int = 0
    sha256: str = ""
    md5: str = ""
    """Only where a published file has its name or size: what it is compared with is an MD5."""
    flattened: bool = False
    """It stood on other files and was made one with them."""


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
    content: str = ""
    """The digest of what a guest sees (labctl.images.digest); "" in manifests older than it."""
    given: Given = Given()
    provenance: Provenance = Provenance.UNKNOWN
    published: str = ""
    """The name of the published file it was compared with; "" where none is known."""
    leaks: int = 0
    """Clusters that nothing uses, found at import: no damage, but no pristine file has any."""

    @property
    def found_damaged(self) -> bool:
        """Was it another file than was imported when it was last read whole?

        An import reads it whole, so only damage leaves a named image without a last time.
        """
        return self.verified == NEVER
