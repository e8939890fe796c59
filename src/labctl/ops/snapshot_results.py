"""What the operations on snapshots give back. Times in seconds, sizes in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from labctl.model.retention import Pruned
from labctl.model.snapshot import Manifest
from labctl.ops.state import Listed


class Content(StrEnum):
    """What a new snapshot holds, as far as that needs saying."""

    MEMORY = "memory and disks"
    DISKS_OF_STOPPED = "disks, of machines that are off"
    DISKS_OF_RUNNING = "disks alone, as after a power cut (crash-consistent)"


@dataclass(frozen=True, slots=True)
class CreateResult:
    """A new snapshot, and what became of the others."""

    lab: str
    snapshot: Manifest
    content: Content
    pruned: tuple[Pruned, ...]
    warnings: tuple[str, ...]
    """Limits of the retention policy that the lab has come near to."""
    beyond: tuple[str, ...]
    """Limits it is beyond, with all pruned that may be."""
    seconds: float


@dataclass(frozen=True, slots=True)
class ListResult:
    """A lab's snapshots, the oldest first. `foreign`: those libvirt lists, by node."""

    lab: str
    snapshots: tuple[Listed, ...]
    foreign: Mapping[str, tuple[str, ...]]
    policy: str
    """The retention policy in words; "" where the lab has none."""


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What the policy prunes, and what stays. `done` is False for a dry run."""

    lab: str
    policy: str
    pruned: tuple[Pruned, ...]
    kept: int
    kept_size: int
    beyond: tuple[str, ...]
    """Limits that what stays is beyond."""
    done: bool


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """What was deleted."""

    lab: str
    deleted: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is another than it was. `node` is "" for what concerns the whole lab."""

    what: str
    then: str
    now: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class ShowResult:
    """One snapshot, and what differs from the lab as it is now."""

    snapshot: Manifest
    listed: Listed
    differences: tuple[Difference, ...]
    topology_diff: tuple[str, ...]
    """Unified diff of the topology and of the files it refers to, from then to now."""
