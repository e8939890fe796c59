"""The intent turned inside out, for checks: whose address is it, what must each VTEP announce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

from labctl.devices.api import Device
from labctl.devices.reading import NodeReading
from labctl.devices.registry import device_for
from labctl.model.fit import fit_node
from labctl.model.intent import Intent, L2Vni, L3Vni, Leg, NodeIntent
from labctl.model.lab import Replication
from labctl.model.platform import Platform
from labctl.verify.evidence import Evidence

DEFAULT_ROUTE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Fabric:
    """An intent and what the nodes say about it."""

    intent: Intent
    evidence: Evidence
    platforms: Mapping[str, Platform]

    @cached_property
    def switches(self) -> Mapping[str, NodeIntent]:
        return {n: node for n, node in self.intent.nodes.items() if node.node.role.is_switch}

    @cached_property
    def vteps(self) -> Mapping[str, NodeIntent]:
        return {n: node for n, node in self.switches.items() if node.node.role.is_vtep}

    @cached_property
    def hosts(self) -> Mapping[str, NodeIntent]:
        return {n: node for n, node in self.intent.nodes.items() if not node.node.role.is_switch}

    @cached_property
    def devices(self) -> Mapping[str, Device]:
        """The device family of each node."""
        used = {node.node.platform for node in self.intent.nodes.values()}
        families = {name: device_for(self.platforms[name].device) for name in used}
        return {name: families[node.node.platform] for name, node in self.intent.nodes.items()}

    def memory_floor(self, name: str) -> int:
        """MiB below which the node's software does not do what it should."""
        node = self.intent.nodes[name]
        platform = self.platforms[node.node.platform]
        return fit_node(platform, node.node, (port.number for port in node.ports)).memory_floor

    @cached_property
    def readings(self) -> Mapping[str, NodeReading]:
        """What each node says, parsed."""
        return {
            name: self.devices[name].read(node, self.evidence.text_of(name))
            for name, node in self.intent.nodes.items()
        }

    @cached_property
    def outputs(self) -> Mapping[str, Mapping[str, str]]:
        """The evidence by node: command slug -> output."""
        found: dict[str, dict[str, str]] = {name: {} for name in self.intent.nodes}
        for (name, command), text in self.evidence.outputs.items():
            found.setdefault(name, {})[command] = text
        return found

    @cached_property
    def _vtep_names(self) -> Mapping[IPv4Address, frozenset[str]]:
        """A VTEP's loopback counts as its address too: many fabrics use one address for both.

        The halves of a vPC pair share an address, besides those of their own.
        """
        found: dict[IPv4Address, set[str]] = {}
        for name, node in self.vteps.items():
            shared = node.pair.vtep if node.pair else None
            for address in {node.loopback, node.vtep, shared}:
                if address is not None:
                    found.setdefault(address, set()).add(name)
        return {address: frozenset(names) for address, names in found.items()}

    def vtep_name(self, address: IPv4Address) -> str:
        """The node or nodes an address belongs to, or the address where it is nobody's."""
        return " and ".join(sorted(self.names([address])))

    def names(self, addresses: Iterable[IPv4Address]) -> frozenset[str]:
        """All nodes these addresses belong to; an address itself where it is nobody's."""
        known = (self._vtep_names.get(each, frozenset({str(each)})) for each in addresses)
        return frozenset[str]().union(*known)

    def itself(self, name: str) -> frozenset[str]:
        """A node, with the other half of its vPC pair.

        They share an address, so neither need take what the other announces with it.
        """
        pair = self.intent.nodes[name].pair
        return frozenset({name, pair.peer} if pair else {name})

    @cached_property
    def floors(self) -> Mapping[str, int]:
        """The fewest EVPN routes each VTEP announces when all its hosts are silent.

        A type-3 route for each network it carries (but under multicast replication) and a type-5
        for each subnet (and default route) of its tenants. Type-2 routes come and go with the
        hosts.
        """
        ingress = self.intent.lab.fabric.replication is Replication.INGRESS
        return {name: _floor(node, ingress=ingress) for name, node in self.vteps.items()}

    @cached_property
    def floor_sum(self) -> int:
        return sum(self.floors.values())

    @cached_property
    def leaf_of(self) -> Mapping[str, tuple[str, ...]]:
        """The switches each host hangs on."""
        return {
            name: tuple(dict.fromkeys(port.far.node for port in node.ports))
            for name, node in self.hosts.items()
        }

    @cached_property
    def origins(self) -> Mapping[tuple[int, IPv4Network], frozenset[str]]:
        """Who announces a type-5 prefix: (L3 VNI, prefix) -> VTEPs."""
        found: dict[tuple[int, IPv4Network], set[str]] = {}
        for name, node in self.vteps.items():
            for l3 in node.l3vnis:
                for prefix in _prefixes(node.l2vnis, l3):
                    found.setdefault((l3.vrf.vni, prefix), set()).add(name)
        return {key: frozenset(names) for key, names in found.items()}

    @cached_property
    def legs(self) -> tuple[tuple[str, Leg], ...]:
        """(host, leg) of every host, in the lab's order."""
        return tuple((name, leg) for name, node in self.hosts.items() for leg in node.legs)


def _floor(node: NodeIntent, *, ingress: bool) -> int:
    floods = len(node.l2vnis) if ingress else 0
    return floods + sum(len(_prefixes(node.l2vnis, l3)) for l3 in node.l3vnis)


def _prefixes(l2vnis: tuple[L2Vni, ...], l3: L3Vni) -> frozenset[IPv4Network]:
    """The type-5 prefixes a VTEP announces for a tenant."""
    subnets = {l2.network.gateway.network for l2 in l2vnis if l2.vrf == l3.vrf.name}
    return frozenset(subnets | ({DEFAULT_ROUTE} if l3.default_route else set()))
