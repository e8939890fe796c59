"""What FRR's templates need to know of a node, worked out so that templates only loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from labctl.model.intent import (
    ANYCAST_GATEWAY_MAC,
    FABRIC_MTU,
    LAST_METRIC,
    BgpPeer,
    L2Vni,
    L3Vni,
    LinkKind,
    NodeIntent,
)
from labctl.model.lab import Fabric, LinkAddressing, Routing
from labctl.model.platform import Platform
from labctl.model.saved import is_whole
from labctl.model.site import Site
from labctl.render.environment import Verbatim

# Outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348, section 5).
_OVERLAY_MTU = FABRIC_MTU - 50
# Daemons that only the user's own configuration can ask for: word in a line -> daemon.
_DAEMON_BY_COMMAND = {
    "router ospf6": "ospf6d",
    "router ospf": "ospfd",
    "router isis": "isisd",
    "router rip": "ripd",
    "ip pim": "pimd",
    "vrrp ": "vrrpd",
    "mpls ldp": "ldpd",
    "bfd": "bfdd",
}


class PeerGroup(NamedTuple):
    """Peers configured alike. `asn` is 0 where members differ, `source` "" on direct sessions.

    `peers` holds (address or interface, is an interface, AS number or 0 when the group has it).
    """

    name: str
    asn: int
    source: str
    multihop: bool
    clients: bool
    peers: tuple[tuple[str, bool, int], ...]


def context(
    node: NodeIntent, fabric: Fabric, _platform: Platform, _site: Site
) -> dict[str, object]:
    """The variables of templates/day0/frr, beyond those that all devices have."""
    ospf = fabric.routing is Routing.OSPF
    groups = _groups(node)
    extra = node.node.extra_config
    return {
        "ports": node.ports,
        "fabric_ports": tuple(_fabric_ports(node, fabric)),
        "loopback": node.loopback,
        "vtep": node.vtep,
        "asn": node.asn,
        "ospf": ospf,
        "groups": tuple(groups),
        "underlay_groups": tuple(group for group, (ipv4, _) in groups.items() if ipv4),
        "overlay_groups": tuple(group for group, (_, evpn) in groups.items() if evpn),
        "route_reflector": any(group.clients for group in groups),
        "l2vnis": [_l2vni(vni) for vni in node.l2vnis],
        "l3vnis": [_l3vni(vni) for vni in node.l3vnis],
        "gateway_mac": ANYCAST_GATEWAY_MAC,
        "fabric_mtu": FABRIC_MTU,
        "overlay_mtu": _OVERLAY_MTU,
        "last_metric": LAST_METRIC,
        "daemons": daemons(ospf=ospf, extra_config=extra),
        "extra_config": Verbatim(extra.rstrip("\n")),
        "whole": is_whole(extra),
    }


def daemons(*, ospf: bool, extra_config: str) -> tuple[str, ...]:
    """What must run for this configuration: zebra first, it serves the others."""
    names = ["zebra", "staticd", "bgpd"] + ["ospfd"] * ospf
    for command, daemon in _DAEMON_BY_COMMAND.items():
        asked = any(_holds(line, command) for line in extra_config.splitlines())
        if asked and daemon not in names:
            names.append(daemon)
    return tuple(names)


def _holds(line: str, command: str) -> bool:
    return f" {command}" in f" {line.strip()}"


def _fabric_ports(node: NodeIntent, fabric: Fabric) -> Iterator[tuple[str, str]]:
    """(interface, address) of the underlay's links.

    OSPF without link addresses needs the loopback's on every link; BGP finds its neighbour by
    IPv6 link-local address and needs none.
    """
    borrowed = ""
    if fabric.routing is Routing.OSPF and fabric.links is LinkAddressing.UNNUMBERED:
        borrowed = f"{node.loopback}/32"
    for port in node.ports:
        if port.kind is LinkKind.FABRIC:
            yield port.name, str(port.address) if port.address else borrowed


def _groups(node: NodeIntent) -> Mapping[PeerGroup, tuple[bool, bool]]:
    """Peer groups, with whether each carries ipv4 and evpn."""
    neighbours = {port.far_address.ip for port in node.ports if port.far_address}
    members: dict[tuple[bool, bool, bool, bool], list[BgpPeer]] = {}
    for peer in node.peers:
        direct = peer.interface is not None or peer.address in neighbours
        key = (peer.ipv4, peer.evpn, peer.route_reflector_client, direct)
        members.setdefault(key, []).append(peer)
    return {_group(node, key, peers): key[:2] for key, peers in members.items()}


def _group(node: NodeIntent, key: tuple[bool, bool, bool, bool], peers: list[BgpPeer]) -> PeerGroup:
    _, _, clients, direct = key
    numbers = {peer.asn for peer in peers}
    common = numbers.pop() if len(numbers) == 1 else 0
    return PeerGroup(
        name=_group_name(*key),
        asn=common,
        source="" if direct else str(node.loopback),
        multihop=not direct and any(peer.asn != node.asn for peer in peers),
        clients=clients,
        peers=tuple(
            (peer.key, peer.interface is not None, 0 if common else peer.asn) for peer in peers
        ),
    )


def _group_name(ipv4: bool, evpn: bool, clients: bool, direct: bool) -> str:
    """Named for what the sessions carry; a name per key, so that groups can't be mixed up."""
    words = ["FABRIC" if ipv4 and evpn else "UNDERLAY" if ipv4 else "OVERLAY"]
    words += ["CLIENTS"] * clients
    words += ["DIRECT"] * (direct and not ipv4) + ["MULTIHOP"] * (ipv4 and not direct)
    return "-".join(words)


def _l2vni(vni: L2Vni) -> dict[str, object]:
    network = vni.network
    return {
        "vlan": network.vlan,
        "vni": network.vni,
        "gateway": network.gateway,
        "vrf": vni.vrf,
        "route_target": vni.route_target,
    }


def _l3vni(vni: L3Vni) -> dict[str, object]:
    return {
        "name": vni.vrf.name,
        "vni": vni.vrf.vni,
        "table": vni.table,
        "router_mac": vni.router_mac,
        "route_target": vni.route_target,
        "default_route": vni.default_route,
    }
