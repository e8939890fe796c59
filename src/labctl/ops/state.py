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
