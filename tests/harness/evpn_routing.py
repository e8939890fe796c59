"""EVPN on paper: who originates which routes, which sessions carry them, which get in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network

from harness.fabric_faults import FabricFaults
from harness.intents import PLATFORMS
from labctl.model.intent import L3Vni, NodeIntent
from labctl.verify.evidence import Evidence
from labctl.verify.fabric import Fabric


@dataclass(frozen=True)
class Route:
    origin: str
    key: str
    targets: frozenset[str]
    rd: str


class EvpnRouting(FabricFaults):
    """How routes spread over a fabric, faults included."""

    @cached_property
    def fabric(self) -> Fabric:
        return Fabric(self.intent, Evidence(), PLATFORMS)

    def _up(self, a: str, b: str, *, address_families: bool = True) -> bool:
        """Whether a session is established, and (`address_families`) carries EVPN."""
        pair = frozenset({a, b})
        broken = self.shut | self.not_configured if address_families else self.shut
        if pair in self.down or (a, b) in broken or (b, a) in broken:
            return False
        return not {a, b} & (self.unreachable.keys() | self.dead_daemons.keys())

    def announced(self, name: str) -> str:
        """The address a VTEP announces hosts and floods with: its own, or that of its pair."""
        node = self.intent.nodes[name]
        return str(node.pair.vtep if node.pair else node.vtep)

    def _target(self, name: str, vni: int) -> str:
        return self.targets.get((name, vni), f"{self.intent.lab.fabric.asn}:{vni}")

    def _import(self, name: str, vni: int) -> str:
        return self.imports.get((name, vni), self._target(name, vni))

    def originated(self, name: str) -> frozenset[Route]:
        """The EVPN routes a VTEP sends."""
        node = self.fabric.vteps.get(name)
        if node is None or name in self.not_advertising:
            return frozenset()
        return frozenset((*self._l2_routes(name, node), *self._l3_routes(name, node)))

    def _l2_routes(self, name: str, node: NodeIntent) -> Iterator[Route]:
        for l2 in node.l2vnis:
            vni = l2.network.vni
            if (name, vni) in self.vnis_down:
                continue
            rd, targets = f"{node.loopback}:{vni}", frozenset({self._target(name, vni)})
            if l2.group is None:
                yield Route(name, f"[3]:[0]:[32]:[{self.announced(name)}]", targets, rd)
            for host, leg in self.fabric.legs:
                if leg.network.vni == vni and name in self.fabric.leaf_of[host]:
                    if host in self.hosts_down:
                        continue
                    mac = self.intent.nodes[host].mac_by_nic[1]
                    yield Route(name, f"[2]:[0]:[48]:[{mac}]", targets, rd)
                    key = f"[2]:[0]:[48]:[{mac}]:[32]:[{leg.address.ip}]"
                    yield Route(name, key, targets | self._routed_as(name, node, l2.vrf), rd)

    def _routed_as(self, name: str, node: NodeIntent, vrf: str) -> frozenset[str]:
        """The L3 VNI's route target, on host routes of a tenant that is up."""
        mine = [l3.vrf.vni for l3 in node.l3vnis if l3.vrf.name == vrf]
        return frozenset(self._target(name, v) for v in mine if name not in self.l3vnis_down)

    def _l3_routes(self, name: str, node: NodeIntent) -> Iterator[Route]:
        for l3 in node.l3vnis:
            if name in self.l3vnis_down | self.no_type5:
                continue
            targets = frozenset({self._target(name, l3.vrf.vni)})
            for (vni, prefix), origins in self.fabric.origins.items():
                if vni == l3.vrf.vni and name in origins and prefix not in self._absent(name):
                    key = f"[5]:[0]:[{prefix.prefixlen}]:[{prefix.network_address}]"
                    yield Route(name, key, targets, f"{node.loopback}:{vni}")

    def _absent(self, name: str) -> set[IPv4Network]:
        """The subnets whose gateway is missing."""
        networks = (l2.network for l2 in self.intent.nodes[name].l2vnis)
        gone = {vni for node, vni in self.gateways_missing if node == name}
        return {net.gateway.network for net in networks if net.vni in gone}

    def _sent(self, source: str, target: str) -> frozenset[Route]:
        if not self._up(source, target) or {source, target} & self.adrift:
            return frozenset()
        if source in self.fabric.vteps:
            return self.originated(source)
        if source in self.not_reflecting:
            return frozenset()
        spines = self.intent.nodes[source].peers
        others = (peer.node for peer in spines if peer.node != target)
        return frozenset[Route]().union(*(self._sent(other, source) for other in others))

    def _known(self, name: str) -> frozenset[Route]:
        peers = self.intent.nodes[name].peers
        heard = frozenset[Route]().union(*(self._sent(peer.node, name) for peer in peers))
        return heard | self.originated(name)

    def _imported(self, name: str, vni: int, kind: int) -> set[str]:
        """The VTEPs whose routes of `kind` a VTEP takes into a VNI."""
        target = self._import(name, vni)
        return {
            route.origin
            for route in self._known(name)
            if route.origin != name
            and route.key.startswith(f"[{kind}]")
            and target in route.targets
        }

    def _vrf_routes(self, name: str, l3: L3Vni) -> dict[str, set[str]]:
        """What a VTEP installs in a VRF: prefix -> the VTEPs it leads to. Own subnets win."""
        if name in self.l3vnis_down:
            return {}
        target, found = self._import(name, l3.vrf.vni), dict[str, set[str]]()
        own = {str(l2.network.gateway.network) for l2 in self.intent.nodes[name].l2vnis}
        for route in self._known(name):
            fields = route.key[1:-1].split("]:[")
            if route.origin == name or target not in route.targets or len(fields) < 4:
                continue
            prefix = f"{fields[3]}/{fields[2]}" if fields[0] == "5" else f"{fields[-1]}/32"
            if prefix not in own - {str(net) for net in self._absent(name)}:
                found.setdefault(prefix, set()).add(route.origin)
        return found
