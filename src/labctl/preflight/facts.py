"""What preflight knows when it judges: gathered by labctl.ops.preflight, judged by pure checks.

None means that it can't be known here (another host, or a driver that doesn't tell).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from labctl.hypervisor.api import (
    DomainCapabilities,
    DomainState,
    HostFacts,
    ObservedDomain,
    ObservedNetwork,
)
from labctl.model.intent import Intent
from labctl.model.lab import Endpoint
from labctl.model.paths import Home
from labctl.model.platform import Firmware, Platform
from labctl.preflight.canary import KvmVerdict

OFF = frozenset({DomainState.SHUT_OFF, DomainState.CRASHED})
"""States in which a machine holds no memory."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where the host sends packets for a network."""

    network: IPv4Network
    interface: str


@dataclass(frozen=True, slots=True)
class ImageFact:
    """An image the lab needs: how large its disks look (bytes), what is wrong, what to do.

    `others` are nodes of other labs that stand on it, told where something is wrong.
    """

    virtual_size: int
    problems: tuple[str, ...] = ()
    resolution: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StorageFact:
    """The folder of the lab's disks: bytes free there, and why it can't be used, if so."""

    free: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineFact:
    """What libvirt says of a machine type: its capabilities, or why it has none to tell."""

    capabilities: DomainCapabilities | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The lab as it shall be, and the host as it is."""

    intent: Intent
    platforms: Mapping[str, Platform]
    home: Home
    host: HostFacts
    domains: tuple[ObservedDomain, ...]
    networks: tuple[ObservedNetwork, ...]
    ports: Mapping[Endpoint, int]
    virt_types: frozenset[str]
    kvm: KvmVerdict | None
    """None when there was no need to ask."""
    machines: Mapping[str, MachineFact] = field(default_factory=dict)
    lookups: tuple[float, ...] = ()
    """Seconds of the first capability look-up, and of a second one if the first was slow."""
    emulator_missing: str = ""
    qemu_img_missing: bool = False
    firmware: Mapping[str, Firmware | None] | None = None
    """Platform name -> its firmware found on this host, None where there is none; for platforms
    that bring their own choice."""
    devices: frozenset[str] | None = None
    """QEMU's device models."""
    images: Mapping[str, ImageFact] = field(default_factory=dict)
    storage: StorageFact | None = None
    made: frozenset[str] = frozenset()
    """Nodes whose overlay is there already."""
    disks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Node -> what is wrong with the disk that it keeps; nodes whose disk is whole are left out."""
    routes: tuple[Route, ...] | None = None
    udp_in_use: frozenset[int] | None = None

    @property
    def lab_name(self) -> str:
        return self.intent.lab.name

    def running(self, node: str) -> bool:
        """Has the node's machine its disk open?"""
        return any(
            self.is_ours(domain) and domain.metadata.node == node and domain.state not in OFF
            for domain in self.domains
            if domain.metadata is not None
        )

    def is_ours(self, domain: ObservedDomain) -> bool:
        """Does the domain carry this lab's mark?"""
        return domain.metadata is not None and domain.metadata.lab == self.lab_name
