"""Overlays: a node's own disk on a golden image, on plain paths (no storage pools)."""

from __future__ import annotations

from pathlib import Path

from labctl.images.atomic import appearing
from labctl.images.qcow2 import read_header, write_overlay

_MODE = 0o600
"""libvirt gives the file to QEMU's user when the machine starts."""


def create_overlay(golden: Path, overlay: Path) -> None:
    """Make `overlay` an empty overlay on `golden`, in place of what is there.

    Not synced to disk: an overlay holds nothing yet, and a rebuild makes it anew. Raises
    ImageError when `golden` is no qcow2 file, OSError when the file can't be written.
    """
    size = read_header(golden).virtual_size
    with appearing(overlay, durable=False) as part:
        write_overlay(part, golden.absolute(), size)
        part.chmod(_MODE)
