"""Backing chains, walked by headers alone: opening a deep chain costs QEMU minutes, or its life.

`walk` tells a chain in whatever state it is, and all else that asks about chains is built on it;
`chain` is for disks that must be whole. No dataclasses: `labctl status` must start fast.
"""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISBLK, S_ISREG
from typing import NamedTuple

from labctl.errors import ImageError
from labctl.images.qcow2 import Header, read_header

HEALTHY_DEPTH = 1
"""A node's disk stands on one file: its golden image."""
MOST_LAYERS = 20_000
"""No chain is that long; a header can say so all the same."""


class Step(NamedTuple):
    """One file of a chain. Without a header it is no qcow2 file, and the chain ends with it."""

    path: Path
    status: os.stat_result
    header: Header | None

    @property
    def backing(self) -> str:
        """The name of what it stands on; "" for nothing."""
        return self.header.backing.removeprefix("file:") if self.header else ""


class Break(NamedTuple):
    """Where a walk ended early: at what file, and why."""

    at: Path
    error: OSError | ValueError | None
    """Why it can't be read; None where the chain leads nowhere."""
    words: str

    @property
    def missing(self) -> bool:
        return isinstance(self.error, FileNotFoundError)


class Walk(NamedTuple):
    """A chain, top first, as far as it could be walked."""

    steps: tuple[Step, ...]
    broken: Break | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files of the chain: the one it broke off at too, if it can be one."""
        paths = tuple(step.path for step in self.steps)
        unread = self.broken is not None and isinstance(self.broken.error, OSError)
        return (*paths, self.broken.at) if self.broken and unread else paths


def walk(path: Path) -> Walk:
    """The chain below `path`. Raises nothing, and opens nothing that is neither file nor disk."""
    steps: list[Step] = []
    seen: set[tuple[int, int]] = set()
    at: Path | None = path
    while at is not None:
        try:
            step = look(at)
        except (OSError, ValueError) as error:
            return Walk(tuple(steps), Break(at, error, _why(error)))
        identity = step.status.st_dev, step.status.st_ino
        if identity in seen:
            return Walk(tuple(steps), Break(at, None, f"it stands on itself: {at} is met twice"))
        if len(steps) >= MOST_LAYERS:
            words = f"its chain has more than {MOST_LAYERS} files"
            return Walk(tuple(steps), Break(at, None, words))
        seen.add(identity)
        steps.append(step)
        named = step.backing
        if named.startswith("json:") or "://" in named:
            words = f"it stands on {named}, which is no file of this host"
            return Walk(tuple(steps), Break(Path(named), None, words))
        at = at.parent / named if named else None
    return Walk(tuple(steps), None)


def look(path: Path) -> Step:
    """One file by itself. Raises OSError or ValueError when it can't be read or is no file."""
    status = path.stat()
    if not (S_ISREG(status.st_mode) or S_ISBLK(status.st_mode)):
        raise ValueError("it is no file")
    try:
        return Step(path, status, read_header(path))
    except ImageError:
        return Step(path, status, None)


def chain(path: Path) -> tuple[Path, ...]:
    """`path` and all it stands on, top first.

    Raises ImageError when a layer is missing, unreadable, no qcow2 file, or met twice.
    """
    steps, broken = walk(path)
    layers = tuple(step.path for step in steps)
    if broken is not None:
        raise _refusal(path, layers, broken)
    if steps[-1].header is None:
        read_header(steps[-1].path)  # raises what it is instead
    return layers


def depth(path: Path) -> int:
    """How many files `path` stands on: 1 for a fresh overlay. Raises as `chain`."""
    return len(chain(path)) - 1


def _why(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _refusal(path: Path, layers: tuple[Path, ...], broken: Break) -> ImageError:
    if broken.error is None:
        return ImageError(
            f"{path}: {broken.words}",
            details=" -> ".join(map(str, [*layers, broken.at])),
            resolution="rebuild the node: `labctl rebuild LAB --node NODE`",
        )
    if "\0" in str(broken.at):
        above = layers[-1] if layers else path
        return ImageError(
            f"the header of {above} is damaged: no file can be called {broken.at.name[:80]!r}",
            resolution=f"see what else is wrong: `labctl image inspect {above}`",
        )
    return ImageError(
        f"can't read the disk layer {broken.at}: {broken.words}",
        resolution="put the file back, or rebuild the node: `labctl rebuild LAB --node NODE`",
    )
