"""What each node shall do, worked out from the lab: addresses, sessions, VNIs. Vendor-neutral.

`labctl.fabric` makes it; `labctl.render` turns it into configurations and `labctl.verify` into
checks, so that a device is checked against what it was told.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple

from labctl.model.lab import Endpoint, External, Lab, Link, Network, Node, Vrf

ANYCAST_GATEWAY_MAC = "00:00:22:22:33:33"
LAST_METRIC = 0xFF << 24 | 8192
"""Of the unreachable default in a VRF's table, without which the kernel looks on in the main table
(its vrf.rst). Distance 255 as zebra reads it: any route of a protocol beats it."""
FABRIC_MTU = 9216
BOND = "bond0"
"""What a host calls its two links to the leaves of a vPC pair."""


class LinkKind(StrEnum):
    """What a wire is for."""

    FABRIC = "fabric"
    """spine to leaf or border: underlay runs on it"""
    HOST = "host"
    """switch to host: carries networks, untagged and tagged"""
    PEER = "peer"
    """between the leaves of a vPC pair: their peer link"""
    EXTRA = "extra"
    """written out by the user, left without configuration of ours"""


@dataclass(frozen=True, slots=True)
class Port:
    """One wired data NIC of a node. `number` is the NIC's number (1 is the first data NIC)."""

    name: str
    number: int
    link: Link
    far: Endpoint
    kind: LinkKind
    address: IPv4Interface | None = None
    """Own /31 on a numbered fabric link; None when unnumbered."""
    far_address: IPv4Interface | None = None
    untagged: Network | None = None
    tagged: tuple[Network, ...] = ()
    channel: int = 0
    """Number of the port channel (on a host: bond) it is a member of; 0 for none."""


@dataclass(frozen=True, slots=True)
class BgpPeer:
    """One BGP session this node shall hold.

    Exactly one of `address` and `interface` is set (interface: IPv6 link-local, unnumbered).
    """

    node: str
    asn: int
    address: IPv4Address | None
    interface: str | None
    evpn: bool
    ipv4: bool
    route_reflector_client: bool

    @property
    def key(self) -> str:
        """How FRR names the peer: its address, or the interface of an unnumbered session."""
        return str(self.address) if self.address is not None else str(self.interface)


class L2Vni(NamedTuple):
    """A network as one VTEP carries it. `remote_vteps`: who else must appear for this VNI.

    `group` is the underlay's multicast group for it, None under ingress replication.
    """

    network: Network
    vrf: str
    route_target: str
    ports: tuple[str, ...]
    tagged_ports: tuple[str, ...]
    remote_vteps: Set[IPv4Address]
    group: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class L3Vni:
    """A tenant VRF as one VTEP carries it.

    `prefixes_expected`: type-5 prefixes other VTEPs must send. `table` is the Linux routing
    table of the VRF, `router_mac` unique per VTEP. `default_route`: this node is a border and
    originates 0.0.0.0/0. `vlan` stands for the VRF on switches whose L3 VNIs need one;
    `externals` are the routers outside the fabric that this node speaks to.
    """

    vrf: Vrf
    route_target: str
    table: int
    router_mac: str
    default_route: bool
    remote_vteps: Set[IPv4Address]
    prefixes_expected: Set[IPv4Network]
    vlan: int = 0
    externals: tuple[External, ...] = ()


class Pair(NamedTuple):
    """The vPC pair that a leaf is half of, as it sees it.

    `number` counts pairs from 1; `is_first` of the leaf with the lower number. Both halves answer
    to `vtep`. `backup` is the own end of the routed link over VLAN `vlan` of the peer link, which
    carries the underlay of a half that has lost its spines.
    """

    number: int
    peer: str
    is_first: bool
    vtep: IPv4Address
    vlan: int
    backup: IPv4Interface
    far_backup: IPv4Interface
    peer_loopback: IPv4Address
    peer_management: IPv4Interface | None


class Leg(NamedTuple):
    """A host's leg in a network: untagged on the port (`vlan` None) or a VLAN subinterface.

    `port` is the bond where the host has one. The first leg lives in the host's default table
    (`vrf` ""), every further one in a VRF of its own named like the network, so that pings
    between a host's own legs cross the fabric.
    """

    network: Network
    port: str
    vlan: int | None
    address: IPv4Interface
    gateway: IPv4Address
    vrf: str


@dataclass(frozen=True, slots=True)
class NodeIntent:
    """Everything one node is told."""

    node: Node
    mac_by_nic: Mapping[int, str]
    """NIC number -> MAC; 0 is the management NIC, always present, as are fillers where the
    platform has them."""
    management: IPv4Interface | None
    management_gateway: IPv4Address | None
    ports: tuple[Port, ...]
    loopback: IPv4Address | None = None
    vtep: IPv4Address | None = None
    asn: int | None = None
    peers: tuple[BgpPeer, ...] = ()
    l2vnis: tuple[L2Vni, ...] = ()
    l3vnis: tuple[L3Vni, ...] = ()
    legs: tuple[Leg, ...] = ()
    pair: Pair | None = None
    rendezvous: tuple[IPv4Address, ...] = ()
    """On a spine: the loopbacks of all that are the rendezvous point together; () on others, and
    under ingress replication."""

    @property
    def vnis(self) -> tuple[int, ...]:
        """Its L2 VNIs, then its L3 VNIs."""
        l2 = (l2.network.vni for l2 in self.l2vnis)
        return (*l2, *(l3.vrf.vni for l3 in self.l3vnis))


@dataclass(frozen=True, slots=True)
class Intent:
    """The whole lab's intent, a NodeIntent per node in the lab's order."""

    lab: Lab
    nodes: Mapping[str, NodeIntent]
    management_subnet: IPv4Network | None
