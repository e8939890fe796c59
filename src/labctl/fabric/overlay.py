"""What each VTEP carries: L2 and L3 VNIs, route targets, and what the others must send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network

from labctl.fabric.sets import AllBut
from labctl.fabric.vlans import l3_vlan
from labctl.model.identity import mac_address
from labctl.model.intent import L2Vni, L3Vni, Port
from labctl.model.lab import Lab, Network, Node, Replication, Role, Vrf

FIRST_TABLE = 1001
"""Routing table of the first VRF on Linux; its own tables are 253 to 255."""
ROUTER_NIC = 4095
"""The last MAC of a node's block, which no NIC has: the VTEP's router MAC."""
DEFAULT_ROUTE = IPv4Network("0.0.0.0/0")


class Overlay:
    """The tenants as seen from each VTEP; what is common to all is worked out once."""

    def __init__(self, lab: Lab, vteps: Mapping[str, IPv4Address]) -> None:
        """`vteps` holds the address that each VTEP announces itself with."""
        self._lab = lab
        self._vteps = vteps
        self._borders = frozenset(node.name for node in lab.nodes if node.role is Role.BORDER)
        vrfs = lab.fabric.vrfs
        self._on = {net.name: frozenset(net.on) for vrf in vrfs for net in vrf.networks}
        self._tables = {vrf.name: FIRST_TABLE + n for n, vrf in enumerate(vrfs)}
        self._vlans = {vrf.name: l3_vlan(n) for n, vrf in enumerate(vrfs)}
        self._members = {vrf.name: self._members_of(vrf) for vrf in vrfs}
        self._addresses = {
            **{name: self._addresses_of(on) for name, on in self._on.items()},
            **{f"vrf {name}": self._addresses_of(on) for name, on in self._members.items()},
        }
        self._all_prefixes = {vrf.name: self._prefixes_of(vrf) for vrf in vrfs}

    def l2vnis(self, node: Node, ports: Sequence[Port]) -> tuple[L2Vni, ...]:
        """A VTEP's L2 VNIs with the host ports in each."""
        return tuple(
            L2Vni(
                network=net,
                vrf=vrf.name,
                route_target=self._route_target(net.vni),
                ports=tuple(port.name for port in ports if port.untagged is net),
                tagged_ports=tuple(port.name for port in ports if net in port.tagged),
                remote_vteps=AllBut(self._addresses[net.name], self._vteps[node.name]),
                group=self._group(net),
            )
            for vrf in self._lab.fabric.vrfs
            for net in vrf.networks
            if node.name in self._on[net.name]
        )

    def l3vnis(self, node: Node) -> tuple[L3Vni, ...]:
        """A VTEP's L3 VNIs: those of its networks; a border has all."""
        return tuple(
            L3Vni(
                vrf=vrf,
                route_target=self._route_target(vrf.vni),
                table=self._tables[vrf.name],
                router_mac=mac_address(self._lab.name, node.name, ROUTER_NIC),
                default_route=node.role is Role.BORDER,
                remote_vteps=AllBut(self._addresses[f"vrf {vrf.name}"], self._vteps[node.name]),
                prefixes_expected=self._prefixes_expected(vrf, node.name),
                vlan=self._vlans[vrf.name],
                externals=tuple(out for out in vrf.external if out.node == node.name),
            )
            for vrf in self._lab.fabric.vrfs
            if node.name in self._members[vrf.name]
        )

    def _group(self, network: Network) -> IPv4Address | None:
        """The group with the number of the network's VLAN."""
        fabric = self._lab.fabric
        if fabric.replication is Replication.INGRESS:
            return None
        return fabric.groups.network_address + network.vlan

    def _route_target(self, vni: int) -> str:
        return f"{self._lab.fabric.asn}:{vni}"

    def _members_of(self, vrf: Vrf) -> frozenset[str]:
        return self._borders.union(*(self._on[net.name] for net in vrf.networks))

    def _addresses_of(self, nodes: frozenset[str]) -> frozenset[IPv4Address]:
        return frozenset(self._vteps[name] for name in nodes)

    def _prefixes_of(self, vrf: Vrf) -> frozenset[IPv4Network]:
        """All that members of the VRF send: connected subnets, a default from borders."""
        prefixes = {net.gateway.network for net in vrf.networks if self._on[net.name]}
        return frozenset(prefixes | ({DEFAULT_ROUTE} if self._borders else set()))

    def _prefixes_expected(self, vrf: Vrf, node: str) -> frozenset[IPv4Network]:
        """What the others send: all but what this node is the only one to send."""
        own = {net.gateway.network for net in vrf.networks if self._on[net.name] == {node}}
        if self._borders == {node}:
            own.add(DEFAULT_ROUTE)
        everything = self._all_prefixes[vrf.name]
        return everything - own if own else everything
