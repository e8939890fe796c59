"""A fabric on paper: what FRR switches and hosts would print, healthy or with faults put in.

Only as much of EVPN as the checks look at: who originates which routes, which sessions carry
them, which route targets let them in. The shapes are those of the recordings in
tests/fixtures/frr.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace

from harness.evpn_routing import EvpnRouting
from labctl.devices.frr import device as frr
from labctl.devices.linux.device import MEMORY_COMMAND
from labctl.model.intent import L2Vni, L3Vni, LinkKind, NodeIntent
from labctl.model.lab import Replication
from labctl.verify.evidence import Evidence
from labctl.verify.model import CheckKind
from labctl.verify.pings import Ping, plan_pings


class Simulation(EvpnRouting):
    """What the nodes of a fabric print."""

    def evidence(self) -> Evidence:
        outputs = dict(self._outputs())
        alive = {key: text for key, text in outputs.items() if key[0] not in self.unreachable}
        return replace(Evidence.of(alive, self.unreachable), unplugged=self.unplugged)

    def _outputs(self) -> Iterator[tuple[tuple[str, str], str]]:
        for name, node in self.intent.nodes.items():
            yield (name, MEMORY_COMMAND), self._meminfo(name, node)
        for name, node in self.fabric.switches.items():
            for command, text in self._switch(name, node):
                dead = self.dead_daemons.get(name)
                if dead and ("bgp" in command) == (dead == "bgpd"):
                    text = f"{dead} is not running\n"
                yield (name, command), text
        for ping in plan_pings(self.fabric):
            yield (ping.host, shlex.join(ping.argv)), self._ping(ping)

    def _meminfo(self, name: str, node: NodeIntent) -> str:
        total = node.node.memory * 1024 * 98 // 100 - 35 * 1024
        free = self.free_memory.get(name, total // 2)
        return f"MemTotal: {total} kB\nMemFree: {free // 2} kB\nMemAvailable: {free} kB\n"

    def _switch(self, name: str, node: NodeIntent) -> Iterator[tuple[str, str]]:
        yield frr.OSPF_NEIGHBORS, self._ospf(node)
        yield frr.IPV4_SUMMARY, self._summary(name, node, evpn=False)
        yield frr.EVPN_SUMMARY, self._summary(name, node, evpn=True)
        if name not in self.fabric.vteps:
            return
        yield frr.VXLAN_DEVICES, self._devices(name, node)
        yield frr.EVPN_VNIS, self._vnis(name, node)
        yield frr.BGP_VNIS, self._bgp_vnis(name, node)
        for kind, command in ((3, frr.TYPE3_ROUTES), (2, frr.TYPE2_ROUTES), (5, frr.TYPE5_ROUTES)):
            yield command, self._routes(name, kind)
        yield frr.ROUTER_MACS, self._router_macs(name, node)
        yield frr.TENANT_VNIS, self._tenants(name, node)
        for l3 in node.l3vnis:
            yield frr.vrf_routes(l3.vrf.name), self._rib(name, node, l3)

    def _ospf(self, node: NodeIntent) -> str:
        found: dict[str, list[dict[str, str]]] = {}
        for port in node.ports:
            far = port.far.node
            if port.kind is LinkKind.FABRIC and not self._cut(node.node.name, far):
                router = str(self.intent.nodes[far].loopback)
                entry = {"nbrState": "Full/-", "ifaceName": f"{port.name}:{node.loopback}"}
                found.setdefault(router, []).append(entry)
        return json.dumps({"neighbors": found})

    def _cut(self, a: str, b: str) -> bool:
        gone = self.adrift | self.unreachable.keys()
        return frozenset({a, b}) in self.links_down or bool({a, b} & gone)

    def _summary(self, name: str, node: NodeIntent, *, evpn: bool) -> str:
        """A session that carries IPv4 too is established, whatever the EVPN address family."""
        peers = {}
        for peer in node.peers:
            if evpn and (name, peer.node) in self.not_configured:
                continue
            up = self._up(name, peer.node, address_families=not peer.ipv4)
            state = "Idle (Admin)" if (name, peer.node) in self.shut else "Active"
            peers[peer.key] = {
                "remoteAs": peer.asn,
                "state": "Established" if up else state,
                "pfxRcd": len(self._sent(peer.node, name)),
                "pfxSnt": len(self._sent(name, peer.node)),
            }
        return json.dumps({"peers": peers} if peers else {})

    def _devices(self, name: str, node: NodeIntent) -> str:
        vnis = [l2.network.vni for l2 in node.l2vnis] + [l3.vrf.vni for l3 in node.l3vnis]
        down = {vni for vni in vnis if (name, vni) in self.vnis_down}
        if name in self.l3vnis_down:
            down |= {l3.vrf.vni for l3 in node.l3vnis}
        return json.dumps(
            [
                {
                    "ifname": f"vni{vni}",
                    "flags": ["BROADCAST"] if vni in down else ["BROADCAST", "UP"],
                    "linkinfo": {"info_data": {"id": vni}},
                }
                for vni in vnis
            ]
        )

    def _vnis(self, name: str, node: NodeIntent) -> str:
        if name in self.not_advertising or self.dead_daemons.get(name) == "bgpd":
            return "\n"
        table = {str(l2.network.vni): self._vni(name, l2) for l2 in node.l2vnis}
        for l3 in node.l3vnis:
            entry = {"vni": l3.vrf.vni, "type": "L3", "numRemoteVteps": "n/a"}
            table[str(l3.vrf.vni)] = entry
        return json.dumps(table)

    def _vni(self, name: str, l2: L2Vni) -> dict[str, object]:
        vni = l2.network.vni
        down = (name, vni) in self.vnis_down
        remote = set() if down else self._imported(name, vni, 3)
        vteps = [str(self.intent.nodes[other].vtep) for other in sorted(remote)]
        entry: dict[str, object] = {"vni": vni, "type": "L2", "numRemoteVteps": len(vteps)}
        if vteps:
            entry["remoteVteps"] = vteps
        return {**entry, "numMacs": 0 if down else 1 + len(vteps)}

    def _bgp_vnis(self, name: str, node: NodeIntent) -> str:
        advertises = name not in self.not_advertising
        document: dict[str, object] = {"advertiseAllVnis": "Enabled" if advertises else "Disabled"}
        vnis = [l2.network.vni for l2 in node.l2vnis] + [l3.vrf.vni for l3 in node.l3vnis]
        for vni in vnis if advertises else []:
            if (name, vni) not in self.vnis_down:
                taken, sent = [self._import(name, vni)], [self._target(name, vni)]
                document[str(vni)] = {"vni": vni, "importRTs": taken, "exportRTs": sent}
        return json.dumps(document)

    def _routes(self, name: str, kind: int) -> str:
        document: dict[str, dict[str, object]] = {}
        for route in self._known(name):
            if route.key.startswith(f"[{kind}]"):
                hop = {"ip": str(self.intent.nodes[route.origin].vtep)}
                community = " ".join(f"RT:{target}" for target in route.targets)
                path = {"extendedCommunity": {"string": community}, "nexthops": [hop]}
                table = document.setdefault(route.rd, {"rd": route.rd})
                table[route.key] = {"prefix": route.key, "paths": [[path]]}
        return json.dumps(document)

    def _router_macs(self, name: str, node: NodeIntent) -> str:
        document = {}
        for l3 in node.l3vnis:
            hops = set[str]().union(*self._vrf_routes(name, l3).values())
            origins = hops - {far for node, far in self.router_macs_missing if node == name}
            macs = {
                self.intent.nodes[o].l3vnis[0].router_mac: {
                    "vtepIp": str(self.intent.nodes[o].vtep)
                }
                for o in origins
            }
            document[str(l3.vrf.vni)] = {"numRmacs": len(macs), **macs}
        return json.dumps(document)

    def _tenants(self, name: str, node: NodeIntent) -> str:
        state = "Down" if name in self.l3vnis_down else "Up"
        entries = [{"vrf": l3.vrf.name, "vni": l3.vrf.vni, "state": state} for l3 in node.l3vnis]
        return json.dumps({"vrfs": entries})

    def _rib(self, name: str, node: NodeIntent, l3: L3Vni) -> str:
        table: dict[str, list[dict[str, object]]] = {}
        for prefix, origins in self._vrf_routes(name, l3).items():
            hops = [{"ip": str(self.intent.nodes[origin].vtep)} for origin in sorted(origins)]
            table[prefix] = [{"protocol": "bgp", "selected": True, "nexthops": hops}]
        for l2 in node.l2vnis:
            if (name, l2.network.vni) not in self.gateways_missing:
                own = [{"protocol": "connected", "selected": True}]
                table[str(l2.network.gateway.network)] = own
        table.setdefault("0.0.0.0/0", [{"protocol": "kernel", "selected": True}])
        if l3.default_route:
            table["0.0.0.0/0"] = [{"protocol": "static", "selected": True}]
        return json.dumps(table)

    def _ping(self, ping: Ping) -> str:
        received = 2 if self._passes(ping) else 0
        return f"2 packets transmitted, {received} received, 0% packet loss, time 1001ms\n"

    def _passes(self, ping: Ping) -> bool:
        hosts = {ping.host, ping.to} - {""}
        leaves = [self.fabric.leaf_of[host][0] for host in sorted(hosts)]
        gateway = (self.fabric.leaf_of[ping.host][0], ping.leg.network.vni)
        if hosts & self.hosts_down or set(leaves) & self.unreachable.keys():
            return False
        if ping.kind is not CheckKind.PING_NETWORK and gateway in self.gateways_missing:
            return False
        if len(set(leaves)) == 1:
            return True
        if frozenset(leaves) in self.not_forwarding:
            return False
        lists = self.intent.lab.fabric.replication is Replication.INGRESS
        within = ping.kind is CheckKind.PING_NETWORK
        vni, kind = ping.vni, 3 if within and lists else 2
        a, b = leaves
        if {(a, vni), (b, vni)} & self.vnis_down or (kind == 2 and set(leaves) & self.l3vnis_down):
            return False
        return b in self._imported(a, vni, kind) and a in self._imported(b, vni, kind)
