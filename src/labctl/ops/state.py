"""What `status` gives back, apart from `labctl.ops.results`: status must start fast."""

from __future__ import annotations

from typing import NamedTuple


class NodeStatus(NamedTuple):
    """One node as it is. `age` and `uptime` None where unknown; `chain_depth` 1 is healthy."""

    node: str
    role: str
    platform: str
    state: str
    phase: str
    memory: int
    vcpus: int
    age: float | None
    uptime: float | None
    chain_depth: int | None
    problems: tuple[str, ...] = ()


class Listed(NamedTuple):
    """A snapshot in short. `age` in seconds, `size` in bytes."""

    name: str
    state: str
    """complete, incomplete (a killed run left it), being taken, or unreadable."""
    kind: str = ""
    created: str = ""
    age: float = 0.0
    size: int = 0
    with_memory: bool = False
    parent: str = ""
    pause_skew: float = 0.0
    resume_skew: float = 0.0
    halted: float = 0.0
    description: str = ""
    current: bool = False
    """Whether the lab's state came from it."""
    protected: bool = False
    left_out: tuple[str, ...] = ()
    """Nodes it lacks though the lab had them."""
    damage: str = ""
    """What the last restore found wrong with its files, and when."""


class SnapshotSummary(NamedTuple):
    """A lab's snapshots at a glance: the size of all in bytes, the age of the oldest in seconds."""

    number: int = 0
    size: int = 0
    oldest: float | None = None
    unfinished: tuple[str, ...] = ()
    """Those that are no whole snapshots: left by a killed run, being taken, or unreadable."""


class LabStatus(NamedTuple):
    """One lab as it is."""

    lab: str
    uri: str
    nodes: tuple[NodeStatus, ...]
    locked_by: str = ""
    interrupted: str = ""
    """The operation a killed run left unfinished, if any."""
    home: str = ""
    """The LABCTL_HOME that the lab's files are in, where it is another than this run's."""
    snapshots: SnapshotSummary = SnapshotSummary()
