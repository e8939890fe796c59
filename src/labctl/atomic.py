"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part"
"""Suffix of a file being written; what carries it after a kill can be thrown away."""


@contextmanager
def appearing(path: Path, *, durable: bool) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s place when the block ends well.

    `durable` writes it through to the disk before. The caller's lock keeps others away from the
    `.part` file, so one that is there already is what a killed run left.
    """
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    try:
        yield part
        if durable:
            _sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        _sync(path.parent)


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path`, made with `mode` from its first byte on; synced to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path, durable=True) as part:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def remove_parts(folder: Path) -> None:
    """Remove what a killed run was writing below `folder`."""
    for part in folder.rglob(f"*{PART}"):
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def sync_all(folder: Path) -> None:
    """Write all files and folders below `folder`, and itself, through to the disk."""
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
