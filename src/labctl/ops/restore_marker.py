"""The file that says that a lab is being put back: which snapshot, which one leads back, how far.

LAB/snapshots/restoring     there from before the first change until the last machine runs on
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from labctl.atomic import write_atomically
from labctl.model.paths import LabPaths


class Stage(StrEnum):
    """How far it has come."""

    STOPPING = "stopping"
    """Disks are as they were before."""
    PLACING = "placing"
    """Disks are of both."""
    PLACED = "placed"
    """Disks and definitions are the snapshot's."""
    RESUMING = "resuming"
    """So is the memory of machines; none has run on yet, or some."""


class Marker(NamedTuple):
    """What is being put back, and the snapshot of what was before ("" for none)."""

    snapshot: str
    safety: str
    stage: Stage = Stage.STOPPING


def marker(paths: LabPaths) -> Marker | None:
    """What a run is putting back, or was when it was killed."""
    try:
        words = json.loads(_file(paths).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Marker(words["snapshot"], words["safety"], Stage(words["stage"]))


def write(paths: LabPaths, begun: Marker) -> None:
    """Say how far it has come, before it goes further."""
    write_atomically(_file(paths), json.dumps(begun._asdict()).encode())


def clear(paths: LabPaths) -> None:
    """It is done, or given up with the lab in one piece."""
    _file(paths).unlink(missing_ok=True)


def _file(paths: LabPaths) -> Path:
    return paths.snapshots / "restoring"
