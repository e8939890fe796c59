"""The topology file's shape, as pydantic models; the JSON Schema for editors comes from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from labctl.model.lab import Addressing, Fabric, Requirements
from labctl.topology.fields import (
    Address,
    Asn,
    Cidr,
    Count,
    Gateway,
    Groups,
    HypervisorName,
    ImageName,
    Interface,
    LinkEnd,
    NodeName,
    PlatformName,
    PortName,
    Size,
    TenantName,
    Vlan,
    Vni,
)
from labctl.topology.shape import Shape

_FABRIC = Fabric()
_POOLS = Addressing()
_HOST = Requirements()


class _Documented(Shape):
    """A shape whose attribute docstrings become the schema's descriptions."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class NetworkShape(_Documented):
    """One VLAN stretched over the fabric, with an anycast gateway on every leaf that has it."""

    name: TenantName
    """The network's name, unique in the lab."""
    vlan: Vlan
    """VLAN on the switches' ports, unique in the lab."""
    vni: Vni
    """VXLAN network identifier, unique in the lab."""
    gateway: Gateway
    """The anycast gateway's address with the subnet's prefix length."""
    on: list[NodeName] | None = None
    """The leaves (or borders) that carry the network. Left out: every leaf."""


class ExternalShape(_Documented):
    """A router outside the lab that a border speaks eBGP with inside a tenant (VRF-lite): it gets
    the tenant's subnets, and the border's default route leads to it. Nexus only."""

    node: NodeName
    """The border."""
    interface: PortName
    """Its port: one that no fabric link or host is on."""
    vlan: Vlan
    """VLAN tag on that port."""
    address: Interface
    """The border's address there, with its prefix length."""
    neighbor: Address
    """The router's address."""
    asn: Asn
    """The router's AS number."""


class VrfShape(_Documented):
    """A tenant: routed together, apart from all other tenants."""

    name: TenantName
    """The VRF's name on the devices."""
    vni: Vni
    """The VRF's own VNI (L3 VNI) for symmetric routing between leaves."""
    networks: list[NetworkShape] | None = None
    """The tenant's networks."""
    external: list[ExternalShape] | None = None
    """Routers outside the fabric that borders speak to."""


class UnderlayShape(_Documented):
    """How the switches reach one another."""

    routing: Literal["ospf", "ebgp"] = _FABRIC.routing.value
    """ospf: OSPF below iBGP EVPN with the spines as route reflectors. ebgp: one eBGP session
    per link, an AS number per leaf."""
    links: Literal["unnumbered", "numbered"] = _FABRIC.links.value
    """unnumbered: no addresses on fabric links. numbered: a /31 on each."""


class OverlayShape(_Documented):
    """EVPN: who speaks it, and how it floods."""

    asn: Asn = _FABRIC.asn
    """AS number of the overlay: of all switches under ospf; under ebgp those of spines and
    leaves derive from it. Route targets are ASN:VNI with this number."""
    replication: Literal["ingress", "multicast"] = _FABRIC.replication.value
    """How broadcast reaches the other VTEPs: a copy for each (ingress), or underlay multicast (PIM
    with all spines as rendezvous point; Nexus only)."""
    rp: Address | None = None
    """The rendezvous point's address; 10.254.254.254 when left out."""
    groups: Groups | None = None
    """Multicast groups, 239.1.0.0/16 when left out: VLAN 10's is the tenth."""


class AddressingShape(_Documented):
    """Pools that addresses are derived from. A node's address depends on its own number only."""

    loopbacks: Cidr = _POOLS.loopbacks
    """A router ID for every switch: 10.0.0.1 is spine 1, 10.0.0.11 leaf 1, 10.0.0.254 border 1."""
    vteps: Cidr = _POOLS.vteps
    """A tunnel address for every leaf and border: 10.0.1.11 is leaf 1."""
    shared_vteps: Cidr = _POOLS.shared_vteps
    """A tunnel address for every vPC pair: 10.0.2.11 is leaf 1 and 2's. Used with vpc only."""
    links: Cidr = _POOLS.links
    """The /31s of numbered fabric links, and from its end a /30 for every vPC pair."""


class FabricShape(_Documented):
    """The fabric: how many switches, and what they carry. Counts make nodes and links:
    spine-1, leaf-1, border-1, host-1 ..., every leaf and border linked to every spine."""

    spines: Count = 0
    """Spines to make: spine-1, spine-2 ..."""
    leaves: Count = 0
    """Leaves to make: leaf-1, leaf-2 ..."""
    borders: Count = 0
    """Borders to make: VTEPs that originate a default route in every VRF."""
    hosts_per_leaf: Annotated[int, Field(ge=0, le=64)] = 0
    """Hosts on each of these leaves: host-1, host-2 ..."""
    vpc: bool = _FABRIC.vpc
    """true: leaf 1 and 2 are a vPC pair, 3 and 4 the next; a last one without a partner stays
    single. The peer link of leaves made here is two wires, on the ports after those to the spines;
    hosts come after them. A host with links to both leaves of a pair gets a port channel. Nexus
    only."""
    underlay: UnderlayShape = UnderlayShape()
    """How the switches reach one another."""
    overlay: OverlayShape = OverlayShape()
    """EVPN's AS number and how it floods."""
    vrfs: list[VrfShape] | None = None
    """The tenants."""
    addressing: AddressingShape = AddressingShape()
    """Pools that addresses are derived from."""


class ConfigFileShape(_Documented):
    """Device configuration kept in a file of its own."""

    file: Annotated[str, Field(min_length=1, max_length=1024)]
    """Path of the file, relative to the topology file."""


def _kind(value: object) -> str:
    """Which branch of a union of a plain value and a mapping is meant."""
    return "mapping" if isinstance(value, dict | Shape) else "plain"


ConfigText = Annotated[str, Field(max_length=1024 * 1024)]
ConfigShape = Annotated[
    Annotated[ConfigText, Tag("plain")] | Annotated[ConfigFileShape, Tag("mapping")],
    Discriminator(_kind),
]


class NodeShape(_Documented):
    """A node written out, or what differs from the shorthand's."""

    role: Literal["spine", "leaf", "border", "host"] | None = None
    """What the node does. Needed for nodes that the fabric shorthand does not make."""
    platform: PlatformName | None = None
    """Device family, if not the lab's."""
    image: ImageName | None = None
    """Golden image in the image store, if not the lab's."""
    software: ImageName | None = None
    """What the image holds, by the vendor's name of it (nxosv9k-7.0.3.I7.4), if the image's own
    name doesn't tell."""
    memory: Size | None = None
    """Memory, with its unit; what the software needs when left out."""
    allow_undersized: bool | None = None
    """true: take less memory than the software needs, if not the lab's choice."""
    vcpus: Annotated[int, Field(ge=1, le=64)] | None = None
    """Virtual CPUs; the platform's default when left out."""
    loopback: Address | None = None
    """Router ID, to match a network that exists (switches)."""
    vtep: Address | None = None
    """Tunnel address, to match a network that exists (leaves and borders)."""
    asn: Asn | None = None
    """AS number, to match a network that exists (switches, ebgp underlay)."""
    config: ConfigShape | None = None
    """Device configuration appended to the generated one: lines, or a file that holds them
    (`saved/leaf-1.cfg`). A file that `labctl save` wrote is the whole: the node starts from it."""
    hypervisor: HypervisorName | None = None
    """The hypervisor the node must run on."""
    networks: list[TenantName] | None = None
    """Networks a host has a leg in, the first untagged. Left out: all that its leaf carries."""


class ManagementShape(_Documented):
    """The lab's management network."""

    subnet: Cidr | None = None
    """Its subnet; derived from the lab's name when left out."""


ManagementField = Annotated[
    Annotated[bool, Tag("plain")] | Annotated[ManagementShape, Tag("mapping")],
    Discriminator(_kind),
]


class HostShape(_Documented):
    """What the lab demands of the machine it runs on."""

    kvm: bool | None = _HOST.kvm
    """true: refuse to run without working KVM. false: never use it. Left out: use it where a
    test guest proves that it works."""
    memory_overcommit: Annotated[float, Field(gt=0, le=16)] = _HOST.memory_overcommit
    """Guest memory promised per byte of host memory."""
    vcpu_overcommit: Annotated[float, Field(gt=0, le=64)] = _HOST.vcpu_overcommit
    """Virtual CPUs promised per CPU of the host."""


class TopologyFile(_Documented):
    """A labctl topology file: one lab."""

    lab: NodeName
    """The lab's name, unique on a site."""
    platform: PlatformName = "frr"
    """Device family of the switches; any node may differ."""
    image: ImageName | None = None
    """Golden image of the switches; the platform's default when left out."""
    software: ImageName | None = None
    """What the switches' image holds, by the vendor's name of it, if the image's own name doesn't
    tell."""
    allow_undersized: bool = False
    """true: run nodes with less memory than their software needs. `labctl status` says so for as
    long as they are there."""
    fabric: FabricShape = FabricShape()
    """The fabric: how many switches, what runs on them, the tenants."""
    nodes: dict[NodeName, NodeShape | None] | None = None
    """Nodes written out, and what differs for nodes of the shorthand."""
    links: list[Annotated[list[LinkEnd], Field(min_length=2, max_length=2)]] | None = None
    """Wires besides those of the shorthand, as pairs of NODE:INTERFACE."""
    management: ManagementField = True
    """A NAT network that every node's first NIC is on; false for none."""
    host: HostShape = HostShape()
    """What the lab demands of the machine it runs on."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the topology file."""
    schema = TopologyFile.model_json_schema()
    for shape in (schema, *schema["$defs"].values()):
        for field in shape["properties"].values():
            if field.get("default") is None or isinstance(field["default"], dict):
                field.pop("default", None)  # "left out" is what the description explains
    named = schema["properties"]["nodes"]["anyOf"][0]
    named["additionalProperties"] = False  # pydantic gives the names' pattern, but lets others pass
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "labctl topology",
    }
