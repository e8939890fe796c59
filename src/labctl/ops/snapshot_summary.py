"""A lab's snapshots at a glance, for `labctl status`: their manifests alone are read, with no
import that status does not need anyway.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from labctl.ops.state import SnapshotSummary


def summary(folder: Path, now: float) -> SnapshotSummary:
    """What `folder` (a lab's snapshots) holds; `now` in seconds since 1970."""
    sizes, ages, unfinished = list[int](), list[float](), list[str]()
    for name in _names(folder):
        try:
            size, clock = _whole(folder / name / "manifest.json")
        except FileNotFoundError:
            continue  # its rest is swept by the next run that changes the lab
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            unfinished.append(name)
            continue
        sizes.append(size)
        ages.append(max(0.0, now - clock))
    return SnapshotSummary(len(sizes), sum(sizes), max(ages, default=None), tuple(unfinished))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except FileNotFoundError:
        return []


def _whole(manifest: Path) -> tuple[int, float]:
    """Size and time of a complete snapshot; ValueError for one that isn't."""
    data = json.loads(manifest.read_bytes())
    if data["complete"] is not True:
        raise ValueError("incomplete")
    sizes = (int(file["size"]) for part in data["parts"] for file in part["files"].values())
    return sum(sizes), float(data["clock"])
