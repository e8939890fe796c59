"""From a lab to what every node is told: the whole fabric, vendor-neutral."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from labctl.fabric import addresses, asns
from labctl.fabric.overlay import Overlay
from labctl.fabric.pairs import Pairs
from labctl.fabric.sessions import backup_peer, link_peers, multihop_peers, reflected_peers
from labctl.fabric.wiring import Wire, channels, wires
from labctl.model.identity import mac_address
from labctl.model.intent import (
    BOND,
    BgpPeer,
    Intent,
    L2Vni,
    L3Vni,
    Leg,
    LinkKind,
    NodeIntent,
    Pair,
    Port,
)
from labctl.model.lab import Lab, LinkAddressing, Network, Node, Replication, Role, Routing
from labctl.model.platform import Platform


def build(
    lab: Lab, platforms: Mapping[str, Platform], *, management_subnet: IPv4Network | None
) -> Intent:
    """Every node's intent. `lab` is one that `labctl.topology.load` has passed.

    `management_subnet` None leaves every node without a management address.
    """
    builder = _Builder(lab, platforms, management_subnet)
    nodes = {node.name: builder.node(node) for node in lab.nodes}
    return Intent(lab, nodes, management_subnet)


class _Builder:
    """What is common to all nodes, worked out once. One use."""

    def __init__(
        self, lab: Lab, platforms: Mapping[str, Platform], management: IPv4Network | None
    ) -> None:
        self._lab = lab
        self._platforms = platforms
        self._wires = wires(lab, platforms)
        self._channels = channels(self._wires)
        self._nodes = {node.name: node for node in lab.nodes}
        pools = lab.fabric.addressing
        self._loopbacks = _all(addresses.assign(addresses.loopbacks_wanted(lab), pools.loopbacks))
        self._vteps = _all(addresses.assign(addresses.vteps_wanted(lab), pools.vteps))
        self._asns = asns.assign(lab)
        self._reflected = reflected_peers(lab, self._loopbacks)
        self._apart = frozenset(
            node.name for node in lab.nodes if platforms[node.platform].evpn_over == "loopback"
        )
        self._networks = {net.name: net for vrf in lab.fabric.vrfs for net in vrf.networks}
        self._links: dict[tuple[str, str], tuple[IPv4Interface, IPv4Interface]] = {}
        self._management: Mapping[str, IPv4Interface] = {}
        self._gateway: IPv4Address | None = None
        if management is not None:
            self._management = addresses.management_addresses(lab, management)
            self._gateway = addresses.management_gateway(management)
        self._rendezvous: tuple[IPv4Address, ...] = ()
        if lab.fabric.replication is Replication.MULTICAST:
            spines = (node.name for node in lab.nodes if node.role is Role.SPINE)
            self._rendezvous = tuple(self._loopbacks[name] for name in spines)
        self._pairs = Pairs(lab, self._loopbacks, self._management)
        self._overlay = Overlay(lab, self._pairs.announced(self._vteps))

    def node(self, node: Node) -> NodeIntent:
        """One node's intent."""
        ports = tuple(self._port(node, wire) for wire in self._wires[node.name])
        platform = self._platforms[node.platform]
        numbers: Iterable[int] = (0, *(port.number for port in ports))
        if platform.fillers:
            numbers = range(max(numbers) + 1)
        pair = self._pairs.of(node)
        l2vnis: tuple[L2Vni, ...] = ()
        l3vnis: tuple[L3Vni, ...] = ()
        if node.role.is_vtep:
            l2vnis, l3vnis = self._overlay.l2vnis(node, ports), self._overlay.l3vnis(node)
        return NodeIntent(
            node=node,
            mac_by_nic={
                n: mac_address(self._lab.name, node.name, n, prefix=platform.mac_prefix)
                for n in numbers
            },
            management=self._management.get(node.name),
            management_gateway=self._gateway,
            ports=ports,
            loopback=self._loopbacks.get(node.name),
            vtep=self._vteps.get(node.name),
            asn=self._asns.get(node.name),
            peers=self._peers(node, ports, pair),
            l2vnis=l2vnis,
            l3vnis=l3vnis,
            legs=self._legs(node, ports),
            pair=pair,
            rendezvous=self._rendezvous if node.role is Role.SPINE else (),
        )

    def _peers(self, node: Node, ports: Sequence[Port], pair: Pair | None) -> tuple[BgpPeer, ...]:
        if self._lab.fabric.routing is Routing.OSPF:
            return self._reflected[node.role]
        apart = self._asns.keys() if node.name in self._apart else self._apart
        return (
            *link_peers(ports, self._asns, apart),
            *((backup_peer(pair, self._asns),) if pair else ()),
            *multihop_peers(ports, self._asns, self._loopbacks, apart),
        )

    def _port(self, node: Node, wire: Wire) -> Port:
        own, far, carried = None, None, self._carried(node, wire)
        numbered = self._lab.fabric.links is LinkAddressing.NUMBERED
        if wire.kind is LinkKind.FABRIC and numbered:
            own, far = self._link(node, wire.far_node)
        return Port(
            name=wire.near.interface,
            number=wire.number,
            link=wire.link,
            far=wire.far,
            kind=wire.kind,
            address=own,
            far_address=far,
            untagged=carried[0] if carried else None,
            tagged=carried[1:],
            channel=self._channels.get(wire.link, 0),
        )

    def _carried(self, node: Node, wire: Wire) -> tuple[Network, ...]:
        """The networks on a host link, the first untagged; both of its ends agree."""
        if wire.kind is not LinkKind.HOST:
            return ()
        host = node if node.role is Role.HOST else wire.far_node
        return tuple(self._networks[name] for name in host.networks)

    def _link(self, node: Node, far: Node) -> tuple[IPv4Interface, IPv4Interface]:
        """The own and the far address of a numbered fabric link."""
        spine, vtep = (node, far) if node.role is Role.SPINE else (far, node)
        pair = (spine.name, vtep.name)
        if pair not in self._links:
            pool = self._lab.fabric.addressing.links
            number = addresses.link_place(spine.index, vtep.role, vtep.index, pool.prefixlen)
            assert number is not None  # load refuses a pool that is too small
            self._links[pair] = addresses.link_addresses(pool, number)
        first, second = self._links[pair]
        return (first, second) if node.role is Role.SPINE else (second, first)

    def _legs(self, node: Node, ports: Sequence[Port]) -> tuple[Leg, ...]:
        if node.role is not Role.HOST:
            return ()
        legs = []
        for port in _once(ports):
            if port.untagged is not None:
                legs.append(_leg(node, port, port.untagged, tagged=False))
            legs += [_leg(node, port, net, tagged=True) for net in port.tagged]
        return tuple(legs)


def _once(ports: Sequence[Port]) -> Iterator[Port]:
    """The ports of a host, of those in its bond the first."""
    bonded = [port for port in ports if port.channel]
    return (port for port in ports if port not in bonded[1:])


def _leg(host: Node, port: Port, network: Network, *, tagged: bool) -> Leg:
    address = addresses.host_address(network.gateway, host.index)
    assert address is not None  # load refuses a subnet that is too small
    return Leg(
        network=network,
        port=BOND if port.channel else port.name,
        vlan=network.vlan if tagged else None,
        address=address,
        gateway=network.gateway.ip,
        vrf=network.name if tagged else "",
    )


def _all(assigned: Mapping[str, IPv4Address | None]) -> Mapping[str, IPv4Address]:
    """Every address; load refuses a pool that has no place for a node."""
    return {name: address for name, address in assigned.items() if address is not None}
