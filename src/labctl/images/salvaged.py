"""Which disks were put together from damaged images: known by content, under any name, for good.

FOLDER/salvaged/CONTENT    empty, named by the content digest (labctl.images.digest)
"""

from __future__ import annotations

from pathlib import Path


def remember(store: Path, content: str) -> None:
    """Note that the disk of that content digest was salvaged."""
    path = _path(store, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def is_salvaged(store: Path, content: str) -> bool:
    """Was the disk of that content digest salvaged, whatever file it is in now?"""
    return bool(content) and _path(store, content).exists()


def _path(store: Path, content: str) -> Path:
    return store / "salvaged" / content
