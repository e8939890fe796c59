"""A Nexus's ports: port channels, those to hosts, those that lead out of the fabric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labctl.model.intent import LinkKind, NodeIntent, Port

_LONGEST = 180
"""Characters of a list of VLANs on one line; a console takes 511 (`terminal width 511`)."""


class SwitchPort(NamedTuple):
    """A switched port, or a port channel. `number` is that of the channel, 0 for none.

    `untagged` is a VLAN or 0; `allowed` are all VLANs of a trunk, in as many lists as lines.
    """

    name: str
    far: str
    number: int
    is_peer_link: bool
    untagged: int
    tagged: bool
    allowed: tuple[str, ...]


class Outside(NamedTuple):
    """A session with a router outside the fabric, as its port's subinterface sees it."""

    vlan: int
    asn: int
    vrf: str
    address: object


def switch_ports(node: NodeIntent) -> list[SwitchPort]:
    """Ports to hosts and those of the peer link, in the order of the NICs."""
    kinds = (LinkKind.HOST, LinkKind.PEER)
    return [_switch_port(port) for port in node.ports if port.kind in kinds]


def channels(node: NodeIntent) -> list[SwitchPort]:
    """The port channels: each as its first member, in the order of their numbers."""
    first = {port.number: port for port in reversed(switch_ports(node)) if port.number}
    return [first[number] for number in sorted(first)]


def external_ports(node: NodeIntent) -> list[tuple[str, list[Outside]]]:
    """Ports that lead out of the fabric, with the sessions on each."""
    found: dict[str, list[Outside]] = {}
    for vni in node.l3vnis:
        for out in vni.externals:
            outside = Outside(out.vlan, out.asn, vni.vrf.name, out.address)
            found.setdefault(out.interface, []).append(outside)
    return list(found.items())


def vlan_lists(vlans: Iterable[int]) -> tuple[str, ...]:
    """VLANs as NX-OS lists them (1,10-12,20), in lists that fit on a line."""
    lists: list[str] = []
    for piece in _ranges(sorted(vlans)):
        if lists and len(lists[-1]) + len(piece) < _LONGEST:
            lists[-1] += f",{piece}"
        else:
            lists.append(piece)
    return tuple(lists)


def _ranges(vlans: list[int]) -> Iterator[str]:
    """Runs of three and more in their short form."""
    at = 0
    while at < len(vlans):
        end = at
        while end + 1 < len(vlans) and vlans[end + 1] == vlans[end] + 1:
            end += 1
        if end - at < 2:
            end = at
        yield str(vlans[at]) if end == at else f"{vlans[at]}-{vlans[end]}"
        at = end + 1


def _switch_port(port: Port) -> SwitchPort:
    carried = [net.vlan for net in port.tagged]
    untagged = port.untagged.vlan if port.untagged else 0
    if untagged:
        carried.append(untagged)
    return SwitchPort(
        name=port.name,
        far=port.far.node,
        number=port.channel,
        is_peer_link=port.kind is LinkKind.PEER,
        untagged=untagged,
        tagged=bool(port.tagged),
        allowed=vlan_lists(carried),
    )
