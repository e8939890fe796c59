"""What one topology file describes, complete and checked: frozen data.

Built by `labctl.topology` (names, wires, sizes) and read by everything else. Memory is in MiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple

from labctl.model.retention import Retention
from labctl.model.role import Role as Role


class Routing(StrEnum):
    """The underlay's routing protocol."""

    OSPF = "ospf"
    EBGP = "ebgp"


class LinkAddressing(StrEnum):
    """How fabric links get addresses: none of their own, or a /31 each."""

    UNNUMBERED = "unnumbered"
    NUMBERED = "numbered"


class Replication(StrEnum):
    """How broadcast, unknown unicast and multicast reach the other VTEPs of a VNI."""

    INGRESS = "ingress"
    MULTICAST = "multicast"


class Network(NamedTuple):
    """One VLAN stretched over the fabric as an L2 VNI; `on` names the VTEP nodes that carry it."""

    name: str
    vlan: int
    vni: int
    gateway: IPv4Interface
    on: tuple[str, ...]


class External(NamedTuple):
    """A router outside the fabric that a border speaks eBGP with inside a tenant (VRF-lite).

    The session runs on the VLAN `vlan` of the border's port `interface`.
    """

    node: str
    interface: str
    vlan: int
    address: IPv4Interface
    neighbor: IPv4Address
    asn: int


@dataclass(frozen=True, slots=True)
class Vrf:
    """A tenant: its L3 VNI, its networks and its ways out of the fabric."""

    name: str
    vni: int
    networks: tuple[Network, ...]
    external: tuple[External, ...] = ()


class Addressing(NamedTuple):
    """The pools addresses are derived from."""

    loopbacks: IPv4Network = IPv4Network("10.0.0.0/24")
    vteps: IPv4Network = IPv4Network("10.0.1.0/24")
    shared_vteps: IPv4Network = IPv4Network("10.0.2.0/24")
    """One per vPC pair; the pool counts only where there are pairs."""
    links: IPv4Network = IPv4Network("10.9.0.0/16")


class Fabric(NamedTuple):
    """Underlay, overlay and tenants."""

    routing: Routing = Routing.OSPF
    links: LinkAddressing = LinkAddressing.UNNUMBERED
    asn: int = 65000
    replication: Replication = Replication.INGRESS
    rp: IPv4Address = IPv4Address("10.254.254.254")
    """The rendezvous point that all spines are, under multicast replication."""
    groups: IPv4Network = IPv4Network("239.1.0.0/16")
    """Multicast groups: a network's is the one with the number of its VLAN."""
    vpc: bool = False
    """Leaves are vPC pairs: 1 and 2, 3 and 4, and so on."""
    vrfs: tuple[Vrf, ...] = ()
    addressing: Addressing = Addressing()


class Management(NamedTuple):
    """The lab's management NAT network; `subnet` None means one derived from the lab's name."""

    enabled: bool = True
    subnet: IPv4Network | None = None


class Requirements(NamedTuple):
    """What the lab demands of its hypervisor. `kvm`: None takes KVM where the canary proves it."""

    kvm: bool | None = None
    memory_overcommit: float = 1.0
    vcpu_overcommit: float = 8.0
    image_check_age: int | None = None
    """Seconds. A golden image whose bytes were not read for longer is read again before `up`;
    None: after a week."""


class Endpoint(NamedTuple):
    """One end of a link, in the device's own interface name."""

    node: str
    interface: str

    def __str__(self) -> str:
        return f"{self.node}:{self.interface}"


class Link(NamedTuple):
    """A point-to-point wire. `a` sorts before `b`, so a wire has one name however it is written."""

    a: Endpoint
    b: Endpoint

    def __str__(self) -> str:
        return f"{self.a} -- {self.b}"

    def end(self, node: str) -> Endpoint:
        return self.a if self.a.node == node else self.b


@dataclass(frozen=True, slots=True)
class Node:
    """One virtual machine. Sizes are final: override or platform default. Preflight holds memory
    against the platform's floor.

    `loopback`, `vtep` and `asn` are the file's overrides; the addresses in force are the
    fabric's (`labctl.fabric`). `extra_config` is device configuration appended to the day-0, or in
    place of its generated part where it is a whole one (labctl.model.saved).
    `networks` (hosts only) names the networks it has a leg in; the first is untagged.
    """

    name: str
    role: Role
    index: int
    platform: str
    image: str
    memory: int
    vcpus: int
    loopback: IPv4Address | None = None
    vtep: IPv4Address | None = None
    asn: int | None = None
    extra_config: str = ""
    hypervisor: str | None = None
    networks: tuple[str, ...] = ()
    software: str = ""
    """What the image holds, by the vendor's own name of it; "" where the image's name tells it."""
    allow_undersized: bool = False
    """Whether less memory than the platform's floor is the user's own decision."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A whole lab. Nodes and links are in the file's (or the shorthand's) order."""

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    fabric: Fabric
    management: Management
    requirements: Requirements
    source: str
    """The file's name, for messages."""
    text: str
    """The file's text with every referred file inlined by the parser's caller, as it was read."""
    retention: Retention = Retention()

    def node(self, name: str) -> Node:
        """The node of that name; KeyError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)
