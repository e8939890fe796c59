"""A spine, a leaf and a host by hand: rendering is tested without what works intents out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from labctl.model.identity import mac_address
from labctl.model.intent import (
    BgpPeer,
    Intent,
    L2Vni,
    L3Vni,
    Leg,
    LinkKind,
    NodeIntent,
    Port,
)
from labctl.model.lab import (
    Endpoint,
    Fabric,
    Lab,
    Link,
    LinkAddressing,
    Management,
    Network,
    Node,
    Requirements,
    Role,
    Routing,
    Vrf,
)
from labctl.model.paths import Home
from labctl.model.site import ImageRef, ManagementMode, Site
from labctl.plan.ports import allocate

LAB = "sample"
SUBNET = IPv4Network("198.18.7.0/24")
WEB = Network("web", 10, 10010, IPv4Interface("10.10.10.1/24"), ("leaf-1",))
DB = Network("db", 20, 10020, IPv4Interface("10.10.20.1/24"), ("leaf-1",))
TENANT = Vrf("tenant-a", 50001, (WEB, DB))
UPLINK = Link(Endpoint("leaf-1", "eth1"), Endpoint("spine-1", "eth1"))
ACCESS = Link(Endpoint("host-1", "eth1"), Endpoint("leaf-1", "eth2"))
EXTRA = Link(Endpoint("host-1", "eth2"), Endpoint("leaf-1", "eth3"))
LINKS = (UPLINK, ACCESS, EXTRA)
IMAGES = {"frr": ImageRef(Path("/images/frr.qcow2"), "ab" * 32)}


def site(virt_type: str = "qemu", management: ManagementMode = "nat", home: str = "/lab") -> Site:
    """A host to render for."""
    return Site(virt_type=virt_type, emulator="", home=Home(Path(home)), management=management)


def ports() -> Mapping[Endpoint, int]:
    """The sample's UDP ports."""
    return allocate(LINKS, lab=LAB, existing={}, taken=set())


def _node(name: str, role: Role) -> Node:
    platform = "linux" if role is Role.HOST else "frr"
    return Node(name, role, 1, platform, "frr", memory=256, vcpus=1)


def _port(link: Link, node: str, kind: LinkKind) -> Port:
    own = link.end(node)
    return Port(
        own.interface, int(own.interface[3:]), link, link.b if link.a.node == node else link.a, kind
    )


def _intent(node: Node, number: int, ports: tuple[Port, ...]) -> NodeIntent:
    nics = {nic: mac_address(LAB, node.name, nic) for nic in range(len(ports) + 1)}
    return NodeIntent(
        node=node,
        mac_by_nic=nics,
        management=IPv4Interface((int(SUBNET.network_address) + number, SUBNET.prefixlen)),
        management_gateway=SUBNET.network_address + 1,
        ports=ports,
    )


def _peer(node: str, *, asn: int, address: str, **flags: bool) -> BgpPeer:
    told = {"evpn": True, "ipv4": False, "route_reflector_client": False} | flags
    return BgpPeer(node, asn, IPv4Address(address), None, **told)


def _spine() -> NodeIntent:
    node = _node("spine-1", Role.SPINE)
    peer = _peer("leaf-1", asn=65000, address="10.0.0.11", route_reflector_client=True)
    return replace(
        _intent(node, 2, (_port(UPLINK, "spine-1", LinkKind.FABRIC),)),
        loopback=IPv4Address("10.0.0.1"),
        asn=65000,
        peers=(peer,),
    )


def _leaf() -> NodeIntent:
    access = replace(_port(ACCESS, "leaf-1", LinkKind.HOST), untagged=WEB, tagged=(DB,))
    wired = (
        _port(UPLINK, "leaf-1", LinkKind.FABRIC),
        access,
        _port(EXTRA, "leaf-1", LinkKind.EXTRA),
    )
    nobody: frozenset[IPv4Address] = frozenset()
    return replace(
        _intent(_node("leaf-1", Role.LEAF), 3, wired),
        loopback=IPv4Address("10.0.0.11"),
        vtep=IPv4Address("10.0.1.11"),
        asn=65000,
        peers=(_peer("spine-1", asn=65000, address="10.0.0.1"),),
        l2vnis=(
            L2Vni(WEB, "tenant-a", "65000:10010", ("eth2",), (), nobody),
            L2Vni(DB, "tenant-a", "65000:10020", (), ("eth2",), nobody),
        ),
        l3vnis=(
            L3Vni(
                vrf=TENANT,
                route_target="65000:50001",
                table=1001,
                router_mac="02:00:00:00:00:0b",
                default_route=False,
                remote_vteps=nobody,
                prefixes_expected=frozenset(),
            ),
        ),
    )


def _host() -> NodeIntent:
    wired = (
        _port(ACCESS, "host-1", LinkKind.HOST),
        _port(EXTRA, "host-1", LinkKind.EXTRA),
    )
    return replace(
        _intent(_node("host-1", Role.HOST), 4, wired),
        legs=(
            Leg(WEB, "eth1", None, IPv4Interface("10.10.10.11/24"), WEB.gateway.ip, ""),
            Leg(DB, "eth1", 20, IPv4Interface("10.10.20.11/24"), DB.gateway.ip, "db"),
        ),
    )


def sample(fabric: Fabric | None = None) -> Intent:
    """The sample lab's intent."""
    nodes = {node.node.name: node for node in (_spine(), _leaf(), _host())}
    lab = Lab(
        name=LAB,
        nodes=tuple(node.node for node in nodes.values()),
        links=LINKS,
        fabric=fabric or Fabric(vrfs=(TENANT,)),
        management=Management(),
        requirements=Requirements(),
        source="sample.yaml",
        text="",
    )
    return Intent(lab, nodes, SUBNET)


def change(intent: Intent, name: str, **fields: object) -> Intent:
    """The same with some fields of one node's intent changed."""
    changed = replace(intent.nodes[name], **fields)  # type: ignore[arg-type]
    return replace(intent, nodes={**intent.nodes, name: changed})


def change_node(intent: Intent, name: str, **fields: object) -> Intent:
    """The same with some fields of one node (as the file describes it) changed."""
    node = replace(intent.nodes[name].node, **fields)  # type: ignore[arg-type]
    return change(intent, name, node=node)


def ebgp(links: LinkAddressing = LinkAddressing.NUMBERED) -> Intent:
    """The sample with an eBGP underlay and a session per link for both address families."""
    intent = sample(Fabric(routing=Routing.EBGP, links=links, vrfs=(TENANT,)))
    ends = {"spine-1": ("10.9.0.0/31", 65100), "leaf-1": ("10.9.0.1/31", 65011)}
    for name, far in (("spine-1", "leaf-1"), ("leaf-1", "spine-1")):
        node, (own, asn), (other, far_asn) = intent.nodes[name], ends[name], ends[far]
        numbered = links is LinkAddressing.NUMBERED
        uplink = replace(
            node.ports[0],
            address=IPv4Interface(own) if numbered else None,
            far_address=IPv4Interface(other) if numbered else None,
        )
        peer = BgpPeer(
            node=far,
            asn=far_asn,
            address=IPv4Interface(other).ip if numbered else None,
            interface=None if numbered else "eth1",
            evpn=True,
            ipv4=True,
            route_reflector_client=False,
        )
        intent = change(intent, name, asn=asn, peers=(peer,), ports=(uplink, *node.ports[1:]))
    return intent
