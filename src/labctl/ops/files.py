"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

PART = ".part"
"""Suffix of a file being written; what carries it after a kill can be thrown away."""


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path`: the old file or the new one is there, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def remove_parts(folder: Path) -> list[Path]:
    """Remove what a killed run was writing below `folder`; what was removed."""
    parts = sorted(folder.rglob(f"*{PART}"))
    for part in parts:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return parts
