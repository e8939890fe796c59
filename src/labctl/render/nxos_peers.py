"""BGP sessions as peer templates of NX-OS."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import NamedTuple

from labctl.model.intent import BgpPeer, NodeIntent
from labctl.model.role import Role


class PeerTemplate(NamedTuple):
    """Peers configured alike. `asn` is 0 where they differ.

    `unchanged`: what is passed on keeps its next hop, the VTEP. `peers` holds (address, AS number
    or 0 where the template has it).
    """

    name: str
    asn: int
    evpn: bool
    multihop: bool
    clients: bool
    unchanged: bool
    peers: tuple[tuple[IPv4Address, int], ...]


def peer_templates(node: NodeIntent) -> list[PeerTemplate]:
    """The node's sessions, those alike together, in the order of their first."""
    members: dict[str, list[BgpPeer]] = {}
    for peer in node.peers:
        members.setdefault(_name(node, peer), []).append(peer)
    return [_template(node, name, peers) for name, peers in members.items()]


def _name(node: NodeIntent, peer: BgpPeer) -> str:
    """Named for who is there, and under eBGP for what the session carries."""
    if node.pair and peer.node == node.pair.peer:
        return "PEER-UNDERLAY"
    who = "LEAF" if node.node.role is Role.SPINE else "SPINE"
    if peer.asn == node.asn:
        return who
    return f"{who}-EVPN" if peer.evpn else f"{who}-UNDERLAY"


def _template(node: NodeIntent, name: str, peers: list[BgpPeer]) -> PeerTemplate:
    numbers = {peer.asn for peer in peers}
    common = numbers.pop() if len(numbers) == 1 else 0
    first = peers[0]
    external = first.asn != node.asn
    return PeerTemplate(
        name=name,
        asn=common,
        evpn=first.evpn,
        multihop=first.evpn and external,
        clients=first.route_reflector_client,
        unchanged=first.evpn and external and node.node.role is Role.SPINE,
        peers=tuple(
            (peer.address, 0 if common else peer.asn) for peer in peers if peer.address is not None
        ),
    )
