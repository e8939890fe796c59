"""Backing chains, walked by headers alone: opening a deep chain costs QEMU minutes, or its life."""

from __future__ import annotations

from pathlib import Path

from labctl.errors import ImageError
from labctl.images.qcow2 import read_header


def chain(path: Path) -> tuple[Path, ...]:
    """`path` and all it stands on, top first.

    Raises ImageError when a layer is missing, unreadable, no qcow2 file, or met twice.
    """
    layers = [path]
    seen = {path.resolve()}
    while backing := _backing(layers[-1]):
        if backing.resolve() in seen:
            raise ImageError(
                f"{path} stands on itself",
                details=" -> ".join(map(str, [*layers, backing])),
                resolution="rebuild the node: `labctl rebuild LAB --node NODE`",
            )
        seen.add(backing.resolve())
        layers.append(backing)
    return tuple(layers)


def depth(path: Path) -> int:
    """How many files `path` stands on: 1 for a fresh overlay. Raises as `chain`."""
    return len(chain(path)) - 1


def _backing(path: Path) -> Path | None:
    try:
        named = read_header(path).backing
    except OSError as error:
        raise ImageError(
            f"can't read the disk layer {path}: {error.strerror}",
            resolution="put the file back, or rebuild the node: `labctl rebuild LAB --node NODE`",
        ) from None
    if "\0" in named:
        raise ImageError(
            f"the header of {path} is damaged: no file can be called {named[:80]!r}",
            resolution=f"see what else is wrong: `labctl image inspect {path}`",
        )
    return path.parent / named if named else None
