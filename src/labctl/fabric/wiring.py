"""Which wire serves what, and every node's ports in the order of its NICs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labctl.model.intent import LinkKind
from labctl.model.lab import Endpoint, Lab, Link, Node, Role
from labctl.model.platform import Platform


@dataclass(frozen=True, slots=True)
class Wire:
    """A link as one of its nodes sees it. `number` is the NIC's number, from 1."""

    link: Link
    kind: LinkKind
    near: Endpoint
    far: Endpoint
    far_node: Node
    number: int


def link_kind(one: Role, other: Role) -> LinkKind:
    """What a link between two roles is for."""
    roles = {one, other}
    if Role.SPINE in roles and (Role.LEAF in roles or Role.BORDER in roles):
        return LinkKind.FABRIC
    if Role.HOST in roles and len(roles) == 2:
        return LinkKind.HOST
    return LinkKind.EXTRA


def wires(lab: Lab, platforms: Mapping[str, Platform]) -> Mapping[str, list[Wire]]:
    """Every node's wires by node name, in the order of its NICs."""
    nodes = {node.name: node for node in lab.nodes}
    found: dict[str, list[Wire]] = {name: [] for name in nodes}
    numbers = {
        name: {platform.interfaces.name(n): n for n in range(1, platform.interfaces.maximum + 1)}
        for name, platform in platforms.items()
    }
    for link in lab.links:
        a, b = nodes[link.a.node], nodes[link.b.node]
        kind = link_kind(a.role, b.role)
        for near, node, far, far_node in ((link.a, a, link.b, b), (link.b, b, link.a, a)):
            number = numbers[node.platform][near.interface]
            found[node.name].append(Wire(link, kind, near, far, far_node, number))
    for row in found.values():
        row.sort(key=lambda wire: wire.number)
    return found
