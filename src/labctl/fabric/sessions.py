"""Who speaks BGP with whom."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from ipaddress import IPv4Address

from labctl.model.intent import BgpPeer, LinkKind, Pair, Port
from labctl.model.lab import Lab, Node, Role


def reflected_peers(
    lab: Lab, loopbacks: Mapping[str, IPv4Address]
) -> Mapping[Role, tuple[BgpPeer, ...]]:
    """iBGP between loopbacks: each VTEP with each spine, the spines reflecting.

    All nodes of a role have the same peers, so they share one tuple.
    """

    def peer(node: Node) -> BgpPeer:
        return BgpPeer(
            node=node.name,
            asn=lab.fabric.asn,
            address=loopbacks[node.name],
            interface=None,
            evpn=True,
            ipv4=False,
            route_reflector_client=node.role.is_vtep,
        )

    spines = tuple(peer(node) for node in lab.nodes if node.role is Role.SPINE)
    vteps = tuple(peer(node) for node in lab.nodes if node.role.is_vtep)
    return {Role.SPINE: vteps, Role.LEAF: spines, Role.BORDER: spines, Role.HOST: ()}


def link_peers(
    ports: Sequence[Port], asns: Mapping[str, int], apart: Container[str]
) -> tuple[BgpPeer, ...]:
    """eBGP over each fabric link, for IPv4, and for EVPN but with the nodes in `apart`."""
    return tuple(
        BgpPeer(
            node=port.far.node,
            asn=asns[port.far.node],
            address=port.far_address.ip if port.far_address else None,
            interface=None if port.far_address else port.name,
            evpn=port.far.node not in apart,
            ipv4=True,
            route_reflector_client=False,
        )
        for port in ports
        if port.kind is LinkKind.FABRIC
    )


def multihop_peers(
    ports: Sequence[Port],
    asns: Mapping[str, int],
    loopbacks: Mapping[str, IPv4Address],
    apart: Container[str],
) -> tuple[BgpPeer, ...]:
    """eBGP between loopbacks for EVPN, one session with each fabric neighbour in `apart`."""
    neighbours = dict.fromkeys(p.far.node for p in ports if p.kind is LinkKind.FABRIC)
    return tuple(
        BgpPeer(
            node=name,
            asn=asns[name],
            address=loopbacks[name],
            interface=None,
            evpn=True,
            ipv4=False,
            route_reflector_client=False,
        )
        for name in neighbours
        if name in apart
    )


def backup_peer(pair: Pair, asns: Mapping[str, int]) -> BgpPeer:
    """eBGP for IPv4 between the halves of a vPC pair."""
    return BgpPeer(
        node=pair.peer,
        asn=asns[pair.peer],
        address=pair.far_backup.ip,
        interface=None,
        evpn=False,
        ipv4=True,
        route_reflector_client=False,
    )
