"""AS numbers: one for all under OSPF; under eBGP one of the spines and one of each VTEP's own.

With the default overlay.asn 65000: spines 65100, leaf 1 65011, border 1 65001. What does not
fit into the private 2-byte range (RFC 6996) comes from the private 4-byte range.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from labctl.model.lab import Fabric, Lab, Node, Role, Routing

SPINES = 100
"""The spines' distance from overlay.asn."""
LEAVES = 10
BORDERS_MAX = 10
LAST_TWO_BYTE, LAST_FOUR_BYTE = 65534, 4294967294
_AS_TRANS = 23456
_WIDE = {Role.SPINE: 4_200_000_000, Role.LEAF: 4_201_000_000, Role.BORDER: 4_202_000_000}


def assign(lab: Lab) -> Mapping[str, int]:
    """Switch name -> AS number. A number written in the file wins, others step aside."""
    switches = [node for node in lab.nodes if node.role.is_switch]
    if lab.fabric.routing is Routing.OSPF:
        return {node.name: lab.fabric.asn for node in switches}
    taken = {node.asn: node.role for node in switches if node.asn is not None}
    spines = _spines(lab.fabric, taken)
    return {
        node.name: node.asn
        or (spines if node.role is Role.SPINE else _own(node, lab.fabric, {*taken, spines}))
        for node in switches
    }


def _fits(number: int, overlay: int) -> bool:
    return number != _AS_TRANS and number <= (
        LAST_TWO_BYTE if overlay <= LAST_TWO_BYTE else LAST_FOUR_BYTE
    )


def _spines(fabric: Fabric, taken: Mapping[int, Role]) -> int:
    """The spines' common number; one that a spine has been given counts as free."""
    number = fabric.asn + SPINES
    free = taken.get(number, Role.SPINE) is Role.SPINE
    return number if free and _fits(number, fabric.asn) else _WIDE[Role.SPINE]


def _own(node: Node, fabric: Fabric, taken: Container[int]) -> int:
    """A leaf's or border's own number."""
    distance = node.index
    if node.role is Role.LEAF:
        distance += LEAVES + (1 if LEAVES + node.index >= SPINES else 0)
    near = node.role is Role.LEAF or node.index <= BORDERS_MAX
    number = fabric.asn + distance
    if near and number not in taken and _fits(number, fabric.asn):
        return number
    return _WIDE[node.role] + node.index
