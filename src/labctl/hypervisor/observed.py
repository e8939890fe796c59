"""Domains and networks as they are, as data, apart from `labctl.hypervisor.api`: `labctl status`
needs no more of it, and must start fast. Memory in MiB.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from labctl.model.metadata import LabMetadata


class DomainState(StrEnum):
    """libvirt's domain states, as labctl tells them apart."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUTTING_DOWN = "shutting down"
    SHUT_OFF = "shut off"
    CRASHED = "crashed"
    OTHER = "other"


class UdpEnd(NamedTuple):
    """A UDP NIC as defined: interface address and port QEMU binds, and where it sends."""

    mac: str
    local: tuple[str, int]
    remote: tuple[str, int]
    is_plugged: bool = True


class ObservedDomain(NamedTuple):
    """One domain as it is. `metadata` is None for a domain labctl did not make."""

    name: str
    uuid: str
    state: DomainState
    memory: int
    vcpus: int
    metadata: LabMetadata | None
    macs: tuple[str, ...]
    udp: tuple[UdpEnd, ...]
    disks: tuple[str, ...]
    """Source paths of all its disks and CD-ROMs."""

    def unplugged(self) -> list[str]:
        """Its wired interfaces whose cable is pulled."""
        ports = self.metadata.ports if self.metadata else {}
        pulled = {nic.local[1] for nic in self.udp if not nic.is_plugged}
        return [interface for interface, (local, _) in ports.items() if local in pulled]


class ObservedNetwork(NamedTuple):
    """A libvirt network; `lab` is None where labctl did not make it."""

    name: str
    uuid: str
    active: bool
    bridge: str
    subnets: tuple[str, ...]
    lab: str | None


class ObservedSnapshot(NamedTuple):
    """A snapshot that libvirt lists. `created` in seconds since 1970; labctl makes no such."""

    name: str
    created: int
    external: bool
    """Files of its own: disk layers, saved memory. Else it is inside the disks."""
    memory: bool
    parent: str
    files: tuple[str, ...] = ()


class ObservedPool(NamedTuple):
    """A storage pool. Sizes in bytes, 0 while it is inactive; `path` "" where it has none."""

    name: str
    path: str
    active: bool
    capacity: int
    available: int
