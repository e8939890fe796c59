"""What a Nexus that is a VTEP prints besides: NVE interface, VNIs, flood lists, tenants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness import nxos_text as nx
from harness.simulated import Simulation
from labctl.devices.nxos import commands
from labctl.model.intent import L3Vni, NodeIntent

Row = dict[str, Any]


@dataclass
class NexusVtep(Simulation):
    """A fabric of VTEPs, and what can be wrong with it. `text`: without `| json`, where both go."""

    text: bool = False
    kib: dict[str, int] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    boot_unset: set[str] = field(default_factory=set)
    route_memory: dict[str, int] = field(default_factory=dict)
    log: dict[str, str] = field(default_factory=dict)
    nve_down: set[str] = field(default_factory=set)
    prefix_limit: set[tuple[str, str]] = field(default_factory=set)
    groups: dict[tuple[str, int], str] = field(default_factory=dict)
    no_tunnel: set[tuple[str, str]] = field(default_factory=set)
    suppress_arp: set[str] = field(default_factory=set)
    carved: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """An interface that is down takes its VNIs with it, a prefix limit its session."""
        self.down |= {frozenset(ends) for ends in self.prefix_limit}
        for name in self.nve_down:
            self.vnis_down |= {(name, l2.network.vni) for l2 in self.intent.nodes[name].l2vnis}
            self.l3vnis_down |= {name}
        self.vnis_down |= set(self.groups)

    def _either(self, command: str, structured: str, text: str) -> tuple[str, str]:
        return (command, text) if self.text else (command + commands.JSON, structured)

    def _vtep(self, name: str, node: NodeIntent) -> Iterator[tuple[str, str]]:
        state = "Down" if name in self.nve_down else "Up"
        said = nx.nve_json(state, str(node.vtep)), nx.nve_text(state, str(node.vtep))
        yield self._either(commands.NVE, *said)
        peers, vnis, macs = (
            self._tunnels(name, node),
            self._rows(name, node),
            self._macs(name, node),
        )
        for command, short, rows, text in (
            (commands.NVE_PEERS, "nve_peers", peers, nx.peers_text),
            (commands.NVE_VNIS, "nve_vni", vnis, nx.vnis_text),
            (commands.MACS, "l2route_mac_all", macs, nx.macs_text),
        ):
            yield self._either(command, nx.dumped(nx.table(short, rows)), text(rows))
        yield commands.REPLICATION, self._lists(name, node)
        for l2 in node.l2vnis:
            if (name, l2.network.vni) not in self.vnis_down:
                yield commands.evi(l2.network.vni), self._evi(name, l2.network.vni)
        for l3 in node.l3vnis:
            yield commands.bgp_vrf(l3.vrf.name), self._vrf(name, l3)
            table = self._table(name, node, l3)
            said = nx.rib_json(l3.vrf.name, table), nx.rib_text(l3.vrf.name, table)
            yield self._either(commands.vrf_routes(l3.vrf.name), *said)
        asked = "    suppress-arp\n" if name in self.suppress_arp else ""
        yield commands.RUN_OVERLAY, f"interface nve1\n  member vni 10010\n{asked}"
        size = 256 if name in self.carved else 0
        yield commands.TCAM, f"               Ingress ARP-Ether ACL [arp-ether] size =  {size} \n"

    def _tunnels(self, name: str, node: NodeIntent) -> list[Row]:
        origins = {o for l2 in node.l2vnis for o in self._flooded(name, l2.network.vni)}
        routed = {o for l3 in node.l3vnis for o in self._origins(name, l3)}
        lost = {far for here, far in self.router_macs_missing if here == name}
        gone = {far for here, far in self.no_tunnel if here == name}
        return [
            {
                "if-name": "nve1",
                "peer-ip": address,
                "peer-state": "Down" if origin in gone else "Up",
                "learn-type": "CP",
                "uptime": "00:31:09",
                "router-mac": "5002.0000.1b08" if origin in routed - lost else "n/a",
            }
            for address, origin in sorted(self._addresses(origins | routed).items())
            if name not in self.nve_down
        ]

    def _addresses(self, origins: set[str]) -> dict[str, str]:
        """What the VTEPs are reached by: announced with hosts, and with prefixes."""
        own = {str(self.intent.nodes[origin].vtep): origin for origin in origins}
        return own | {self.announced(origin): origin for origin in origins}

    def _flooded(self, name: str, vni: int) -> set[str]:
        """The VTEPs, without the other half of a pair."""
        if (name, vni) in self.vnis_down:
            return set()
        return self._imported(name, vni, 3) - self.fabric.itself(name)

    def _origins(self, name: str, l3: L3Vni) -> set[str]:
        return set[str]().union(*self._vrf_routes(name, l3).values())

    def _rows(self, name: str, node: NodeIntent) -> list[Row]:
        rows = []
        for l2 in node.l2vnis:
            vni = l2.network.vni
            down = (name, vni) in self.vnis_down and (name, vni) not in self.groups
            group = self.groups.get((name, vni), str(l2.group or "UnicastBGP"))
            rows.append(_vni(vni, group, f"L2 [{l2.network.vlan}]", down=down))
        for l3 in node.l3vnis:
            down = name in self.l3vnis_down
            rows.append(_vni(l3.vrf.vni, "n/a", f"L3 [{l3.vrf.name}]", down=down))
        return rows

    def _macs(self, name: str, node: NodeIntent) -> list[Row]:
        return [
            {
                "topo-id": str(l2.network.vlan),
                "mac-addr": f"0000.0000.{number:04x}",
                "prod-type": "BGP",
                "flags": "Rcv",
                "seq-num": "0",
                "next-hop1": "10.0.1.99",
            }
            for l2 in node.l2vnis
            for number, _ in enumerate(sorted(self._flooded(name, l2.network.vni)), start=1)
        ]

    def _lists(self, name: str, node: NodeIntent) -> str:
        heading = "Interface VNI      Replication List  Source  Up Time\n"
        heading += "--------- -------- ----------------- ------- -------\n"
        lines = []
        for l2 in node.l2vnis:
            vni = l2.network.vni
            lead = f"nve1      {vni}"
            if l2.group or (name, vni) in self.groups:
                continue
            for address in sorted({self.announced(each) for each in self._flooded(name, vni)}):
                lines.append(f"{lead}    {address}   BGP-IMET 00:31:09")
                lead = " " * 18
            if not self._flooded(name, vni):
                lines.append(lead)
        return heading + "".join(f"{line}\n\n" for line in lines)

    def _evi(self, name: str, vni: int) -> str:
        target = self._target(name, vni)
        return (
            f"  L2VNI ID                     : {vni} (L2-{vni})\n"
            f"  Active Export RT list        :\n        {target}\n"
            f"  Active Import RT list        :\n        {self._import(name, vni)}\n"
        )

    def _vrf(self, name: str, l3: L3Vni) -> str:
        target = self._target(name, l3.vrf.vni)
        return (
            f"BGP Information for VRF {l3.vrf.name}\nVNID                           : "
            f"{l3.vrf.vni} (valid)\n    Export RT list:\n\t{target}\n    EVPN Export RT list:\n\t"
            f"{target}\n    EVPN Import RT list:\n\t{self._import(name, l3.vrf.vni)}\n"
            "    Label mode: per-vrf\n"
        )

    def _hop(self, prefix: str, origin: str) -> str:
        """Hosts are behind the pair, prefixes behind each half."""
        own = str(self.intent.nodes[origin].vtep)
        return self.announced(origin) if prefix.endswith("/32") else own

    def _table(self, name: str, node: NodeIntent, l3: L3Vni) -> Mapping[str, Sequence[Row]]:
        table = {
            prefix: [
                _path(hop, "bgp-65000")
                for hop in sorted({self._hop(prefix, origin) for origin in origins})
            ]
            for prefix, origins in sorted(self._vrf_routes(name, l3).items())
        }
        for l2 in node.l2vnis:
            gateway = l2.network.gateway
            if (name, l2.network.vni) not in self.gateways_missing:
                table[str(gateway.network)] = [_path(str(gateway.ip), "direct")]
                table[f"{gateway.ip}/32"] = [_path(str(gateway.ip), "local")]
        if l3.default_route:
            table["0.0.0.0/0"] = [_path("198.51.100.2", "static")]
        return table


def _path(hop: str, client: str) -> Row:
    return {"ipnexthop": hop, "clientname": client, "ubest": "true", "pref": "200", "metric": "0"}


def _vni(vni: int, group: str, kind: str, *, down: bool) -> Row:
    state = "Down" if down else "Up"
    row = {"if-name": "nve1", "vni": str(vni), "mcast": group, "vni-state": state, "mode": "CP"}
    return {**row, "type": kind, "flags": ""}
