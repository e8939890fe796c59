"""The topology file's shape: every key, what it takes, what it means, what stands in for it.

labctl reads files by these classes, and the JSON Schema for editors comes from them.
A guess stands in for what is needed and wrong or missing, so that the rest can be checked.
"""

from __future__ import annotations

from typing import Any

from labctl.model.lab import Addressing, Fabric, Requirements
from labctl.topology.fields import (
    ADDRESS,
    AGE,
    ASN,
    CIDR,
    COUNT,
    GATEWAY,
    GROUPS,
    HYPERVISOR_NAME,
    IMAGE_NAME,
    INTERFACE,
    LINK_END,
    NODE_NAME,
    PLATFORM_NAME,
    PORT_NAME,
    SIZE,
    TENANT_NAME,
    VLAN,
    VNI,
)
from labctl.topology.kinds import ListOf, MappingOf, OrNothing, PlainOrMapping
from labctl.topology.scalars import YES_OR_NO, OneOf, above_zero, any_text, between
from labctl.topology.shape import Shape, defaulted, optional, required
from labctl.topology.snapshots_shape import SnapshotsShape

_FABRIC = Fabric()
_POOLS = Addressing()
_HOST = Requirements()


class NetworkShape(Shape):
    """One VLAN stretched over the fabric, with an anycast gateway on every leaf that has it."""

    name = required(TENANT_NAME, "The network's name, unique in the lab.", guess="unnamed")
    vlan = required(VLAN, "VLAN on the switches' ports, unique in the lab.", guess=2)
    vni = required(VNI, "VXLAN network identifier, unique in the lab.", guess=1)
    gateway = required(
        GATEWAY,
        "The anycast gateway's address with the subnet's prefix length.",
        guess="192.0.2.1/24",
    )
    on = optional(
        ListOf(NODE_NAME), "The leaves (or borders) that carry the network. Left out: every leaf."
    )


class ExternalShape(Shape):
    """A router outside the lab that a border speaks eBGP with inside a tenant (VRF-lite): it gets
    the tenant's subnets, and the border's static default route leads to it. Nexus only."""

    node = required(NODE_NAME, "The border.")
    interface = required(PORT_NAME, "Its port: one that no fabric link or host is on.")
    vlan = required(VLAN, "VLAN tag on that port.", guess=2)
    address = required(INTERFACE, "The border's address there, with its prefix length.")
    neighbor = required(ADDRESS, "The router's address.")
    asn = required(ASN, "The router's AS number.")


class VrfShape(Shape):
    """A tenant: routed together, apart from all other tenants."""

    name = required(TENANT_NAME, "The VRF's name on the devices.", guess="unnamed")
    vni = required(VNI, "The VRF's own VNI (L3 VNI) for symmetric routing between leaves.", guess=1)
    networks = optional(ListOf(NetworkShape), "The tenant's networks.")
    external = optional(ListOf(ExternalShape), "Routers outside the fabric that borders speak to.")


class UnderlayShape(Shape):
    """How the switches reach one another."""

    routing = defaulted(
        OneOf("ospf", "ebgp"),
        "ospf: OSPF below iBGP EVPN with the spines as route reflectors. ebgp: one eBGP session "
        "per link, an AS number per leaf.",
        _FABRIC.routing.value,
    )
    links = defaulted(
        OneOf("unnumbered", "numbered"),
        "unnumbered: no addresses on fabric links. numbered: a /31 on each.",
        _FABRIC.links.value,
    )


class OverlayShape(Shape):
    """EVPN: who speaks it, and how it floods."""

    asn = defaulted(
        ASN,
        "AS number of the overlay: of all switches under ospf; under ebgp those of spines and "
        "leaves derive from it. Route targets are ASN:VNI with this number.",
        _FABRIC.asn,
    )
    replication = defaulted(
        OneOf("ingress", "multicast"),
        "How broadcast reaches the other VTEPs: a copy for each (ingress), or underlay multicast "
        "(PIM with all spines as rendezvous point; Nexus only).",
        _FABRIC.replication.value,
    )
    rp = optional(ADDRESS, "The rendezvous point's address; 10.254.254.254 when left out.")
    groups = optional(
        GROUPS, "Multicast groups, 239.1.0.0/16 when left out: VLAN 10's is the tenth."
    )


class AddressingShape(Shape):
    """Pools that addresses are derived from. A node's address depends on its own number only."""

    loopbacks = defaulted(
        CIDR,
        "A router ID for every switch: 10.0.0.1 is spine 1, 10.0.0.11 leaf 1, 10.0.0.254 border 1.",
        _POOLS.loopbacks,
    )
    vteps = defaulted(
        CIDR, "A tunnel address for every leaf and border: 10.0.1.11 is leaf 1.", _POOLS.vteps
    )
    shared_vteps = defaulted(
        CIDR,
        "A tunnel address for every vPC pair: 10.0.2.11 is leaf 1 and 2's. Used with vpc only.",
        _POOLS.shared_vteps,
    )
    links = defaulted(
        CIDR,
        "The /31s of numbered fabric links, and from its end a /30 for every vPC pair.",
        _POOLS.links,
    )


class FabricShape(Shape):
    """The fabric: how many switches, and what they carry. Counts make nodes and links:
    spine-1, leaf-1, border-1, host-1 ..., every leaf and border linked to every spine."""

    spines = defaulted(COUNT, "Spines to make: spine-1, spine-2 ...", 0)
    leaves = defaulted(COUNT, "Leaves to make: leaf-1, leaf-2 ...", 0)
    borders = defaulted(
        COUNT, "Borders to make: VTEPs that originate a default route in every VRF.", 0
    )
    hosts_per_leaf = defaulted(
        between(0, 64), "Hosts on each of these leaves: host-1, host-2 ...", 0
    )
    vpc = defaulted(
        YES_OR_NO,
        "true: leaf 1 and 2 are a vPC pair, 3 and 4 the next; a last one without a partner stays "
        "single. The peer link of leaves made here is two wires, on the ports after those to the "
        "spines; hosts come after them. A host with links to both leaves of a pair gets a port "
        "channel. Nexus only.",
        _FABRIC.vpc,
    )
    underlay = defaulted(UnderlayShape, "How the switches reach one another.", UnderlayShape())
    overlay = defaulted(OverlayShape, "EVPN's AS number and how it floods.", OverlayShape())
    vrfs = optional(ListOf(VrfShape), "The tenants.")
    addressing = defaulted(
        AddressingShape, "Pools that addresses are derived from.", AddressingShape()
    )


class ConfigFileShape(Shape):
    """Device configuration kept in a file of its own."""

    file = required(any_text(1, 1024), "Path of the file, relative to the topology file.")


class NodeShape(Shape):
    """A node written out, or what differs from the shorthand's."""

    role = optional(
        OneOf("spine", "leaf", "border", "host"),
        "What the node does. Needed for nodes that the fabric shorthand does not make.",
    )
    platform = optional(PLATFORM_NAME, "Device family, if not the lab's.")
    image = optional(IMAGE_NAME, "Golden image in the image store, if not the lab's.")
    software = optional(
        IMAGE_NAME,
        "What the image holds, by the vendor's name of it (nxosv9k-7.0.3.I7.4), if the image's "
        "own name doesn't tell.",
    )
    memory = optional(SIZE, "Memory, with its unit; what the software needs when left out.")
    allow_undersized = optional(
        YES_OR_NO, "true: take less memory than the software needs, if not the lab's choice."
    )
    vcpus = optional(between(1, 64), "Virtual CPUs; the platform's default when left out.")
    loopback = optional(ADDRESS, "Router ID, to match a network that exists (switches).")
    vtep = optional(ADDRESS, "Tunnel address, to match a network that exists (leaves and borders).")
    asn = optional(ASN, "AS number, to match a network that exists (switches, ebgp underlay).")
    config = optional(
        PlainOrMapping(any_text(0, 1024 * 1024), ConfigFileShape),
        "Device configuration appended to the generated one: lines, or a file that holds them "
        "(`saved/leaf-1.cfg`). A file that `labctl save` wrote is the whole: the node starts from"
        " it.",
    )
    hypervisor = optional(HYPERVISOR_NAME, "The hypervisor the node must run on.")
    networks = optional(
        ListOf(TENANT_NAME),
        "Networks a host has a leg in, the first untagged. Left out: all that its leaf carries.",
    )


class ManagementShape(Shape):
    """The lab's management network."""

    subnet = optional(CIDR, "Its subnet; derived from the lab's name when left out.")


class HostShape(Shape):
    """What the lab demands of the machine it runs on."""

    kvm = optional(
        YES_OR_NO,
        "true: refuse to run without working KVM. false: never use it. Left out: use it where a "
        "test guest proves that it works.",
    )
    memory_overcommit = defaulted(
        above_zero(16), "Guest memory promised per byte of host memory.", _HOST.memory_overcommit
    )
    vcpu_overcommit = defaulted(
        above_zero(64), "Virtual CPUs promised per CPU of the host.", _HOST.vcpu_overcommit
    )
    image_check_age = optional(
        AGE,
        "Golden images whose bytes were last read longer ago than this are read and hashed before "
        "`up`; those that look touched always are. Left out: 7 days.",
    )


class TopologyFile(Shape):
    """A labctl topology file: one lab."""

    lab = required(NODE_NAME, "The lab's name, unique on a site.", guess="lab")
    platform = defaulted(
        PLATFORM_NAME, "Device family of the switches; any node may differ.", "frr"
    )
    image = optional(
        IMAGE_NAME, "Golden image of the switches; the platform's default when left out."
    )
    software = optional(
        IMAGE_NAME,
        "What the switches' image holds, by the vendor's name of it, if the image's own name "
        "doesn't tell.",
    )
    allow_undersized = defaulted(
        YES_OR_NO,
        "true: run nodes with less memory than their software needs. `labctl status` says so for "
        "as long as they are there.",
        False,
    )
    fabric = defaulted(
        FabricShape, "The fabric: how many switches, what runs on them, the tenants.", FabricShape()
    )
    nodes = optional(
        MappingOf(NODE_NAME, OrNothing(NodeShape)),
        "Nodes written out, and what differs for nodes of the shorthand.",
    )
    links = optional(
        ListOf(ListOf(LINK_END, length=2, guess="unknown:port")),
        "Wires besides those of the shorthand, as pairs of NODE:INTERFACE.",
    )
    management = defaulted(
        PlainOrMapping(YES_OR_NO, ManagementShape),
        "A NAT network that every node's first NIC is on; false for none.",
        True,
    )
    host = defaulted(HostShape, "What the lab demands of the machine it runs on.", HostShape())
    snapshots = defaulted(
        SnapshotsShape,
        "Which snapshots are kept; left out, all are until `labctl snapshot delete`.",
        SnapshotsShape(),
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the topology file."""
    definitions: dict[str, dict[str, Any]] = {}
    file = TopologyFile.definition(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "labctl topology",
        **file,
        "$defs": dict(sorted(definitions.items())),
    }
