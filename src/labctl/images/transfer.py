"""Copies of disks and saved memory: blocks shared where the file system can, holes kept."""

from __future__ import annotations

from pathlib import Path

from labctl import process
from labctl.errors import ImageError

_COPY_SECONDS = 3600.0
BLOCK = 512
"""Bytes of one of st_blocks (stat(2)), whatever the file system's own are."""


def copy(file: Path, to: Path) -> None:
    """Copy `file`; what is at `to` is overwritten. Raises ImageError when that fails."""
    done = process.run(
        ["cp", "--reflink=auto", "--sparse=always", "--", file, to],
        deadline=_COPY_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ImageError(
            f"can't copy {file}",
            details=done.stderr.strip(),
            resolution="see whether the disk is full or read-only",
        )


def allocated(path: Path) -> int:
    """The bytes of `path` that are on the disk, holes left out. Raises OSError."""
    return path.stat().st_blocks * BLOCK
