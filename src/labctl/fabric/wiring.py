"""Which wire serves what, which are bundled, and every node's ports in the order of its NICs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from labctl.model.intent import LinkKind
from labctl.model.lab import Endpoint, Lab, Link, Node, Role
from labctl.model.pairs import partners
from labctl.model.platform import Platform

PEER_CHANNEL = 1
"""The port channel that is a vPC pair's peer link."""
HOST_CHANNELS = 100
"""Added to a port's number: the port channel of a host with a link to both leaves of a pair."""


class Wire(NamedTuple):
    """A link as one of its nodes sees it. `number` is the NIC's number, from 1."""

    link: Link
    kind: LinkKind
    near: Endpoint
    far: Endpoint
    far_node: Node
    number: int


def link_kind(one: Role, other: Role) -> LinkKind:
    """What a link between two roles is for, vPC pairs aside."""
    roles = {one, other}
    if Role.SPINE in roles and (Role.LEAF in roles or Role.BORDER in roles):
        return LinkKind.FABRIC
    if Role.HOST in roles and len(roles) == 2:
        return LinkKind.HOST
    return LinkKind.EXTRA


def wires(lab: Lab, platforms: Mapping[str, Platform]) -> Mapping[str, list[Wire]]:
    """Every node's wires by node name, in the order of its NICs."""
    nodes = {node.name: node for node in lab.nodes}
    partner_of = partners(lab.nodes) if lab.fabric.vpc else {}
    found: dict[str, list[Wire]] = {name: [] for name in nodes}
    numbers = {
        name: {platform.interfaces.name(n): n for n in range(1, platform.interfaces.maximum + 1)}
        for name, platform in platforms.items()
    }
    for link in lab.links:
        a, b = nodes[link.a.node], nodes[link.b.node]
        kind = link_kind(a.role, b.role)
        if partner_of.get(a.name) == b.name:
            kind = LinkKind.PEER
        for near, node, far, far_node in ((link.a, a, link.b, b), (link.b, b, link.a, a)):
            number = numbers[node.platform][near.interface]
            found[node.name].append(Wire(link, kind, near, far, far_node, number))
    for row in found.values():
        row.sort(key=lambda wire: wire.number)
    return found


def channels(wires: Mapping[str, Sequence[Wire]]) -> Mapping[Link, int]:
    """The port channel of every link that is bundled: peer links, and the links of a host of two.

    A host's is named for its port on the first leaf of the pair.
    """
    found: dict[Link, int] = {}
    for row in wires.values():
        found |= {wire.link: PEER_CHANNEL for wire in row if wire.kind is LinkKind.PEER}
        up = [w for w in row if w.kind is LinkKind.HOST and w.far_node.role is not Role.HOST]
        if len(up) > 1:
            first = min(up, key=lambda wire: wire.far_node.index)
            there = wires[first.far_node.name]
            number = next(wire.number for wire in there if wire.link == first.link)
            found |= {wire.link: HOST_CHANNELS + number for wire in up}
    return found
