"""Overlays: a node's own disk on a golden image, on plain paths (no storage pools)."""

from __future__ import annotations

from pathlib import Path

from labctl.atomic import appearing
from labctl.images import qemu_img
from labctl.images.qcow2 import read_header

_MODE = 0o600
"""libvirt gives the file to QEMU's user when the machine starts."""


def create_overlay(golden: Path, overlay: Path) -> None:
    """Make `overlay` an empty overlay on `golden`, in place of what is there.

    Not synced to disk: an overlay holds nothing yet, and a rebuild makes it anew. Raises
    ImageError when `golden` is no qcow2 file or qemu-img can't make it, OSError when the file
    can't be put in place.
    """
    size = read_header(golden).virtual_size
    with appearing(overlay, durable=False) as part:
        qemu_img.create_overlay(golden.absolute(), part, size)
        part.chmod(_MODE)
