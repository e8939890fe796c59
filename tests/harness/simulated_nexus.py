"""A fabric of Nexus 9000v on paper: what its switches would print, as JSON or as text.

Made up from intents, after the shapes of public outputs; no Nexus was there to ask. Counts and
tables are NX-OS's as far as is known: a leaf drops routes whose targets it doesn't import, and
holds those it does once in the sender's table and once in its own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from harness import nxos_text as nx
from harness.evpn_routing import Route
from harness.nexus_vtep import NexusVtep, Row
from labctl.devices.linux.device import MEMORY_COMMAND
from labctl.devices.nxos import commands
from labctl.model.intent import LinkKind, NodeIntent
from labctl.verify.pings import plan_pings

BOOT_IMAGE = "bootflash:/nxos.7.0.3.I7.4.bin"
QUIET = "2026 Jan  1 00:00:00 leaf-1 %VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by admin\n"


class NexusSimulation(NexusVtep):
    """What all nodes print."""

    def _outputs(self) -> Iterator[tuple[tuple[str, str], str]]:
        for name, node in self.fabric.hosts.items():
            yield (name, MEMORY_COMMAND), self._meminfo(name, node)
        for name, node in self.fabric.switches.items():
            for command, text in self._switch(name, node):
                if name in self.dead_daemons and " bgp " in command:
                    text = "Note:  process currently not running\n"
                yield (name, command), text
        for ping in plan_pings(self.fabric):
            yield (ping.host, shlex.join(ping.argv)), self._ping(ping)

    def _switch(self, name: str, node: NodeIntent) -> Iterator[tuple[str, str]]:
        yield from self._system(name, node)
        ospf = self._neighbors(node)
        yield self._either(commands.OSPF_NEIGHBORS, nx.ospf_json(ospf), nx.ospf_text(ospf))
        for command, family in (
            (commands.IPV4_SUMMARY, "IPv4 Unicast"),
            (commands.EVPN_SUMMARY, "L2VPN EVPN"),
        ):
            peers = self._peers(name, node, evpn=command == commands.EVPN_SUMMARY)
            said = nx.summary_json(family, peers), nx.summary_text(family, peers)
            yield self._either(command, *said)
        for kind in (2, 3, 5):
            entries = self._entries(name, node, kind)
            said = nx.routes_json(entries), nx.routes_text(entries)
            yield self._either(commands.evpn_routes(kind), *said)
        if name in self.fabric.vteps:
            yield from self._vtep(name, node)

    def _system(self, name: str, node: NodeIntent) -> Iterator[tuple[str, str]]:
        total = self.kib.get(name, node.node.memory * 1024 * 973 // 1000)
        free, alert = self.free_memory.get(name, total // 3), self.alerts.get(name, "OK")
        version = {"nxos_ver_str": "7.0(3)I7(4)", "memory": str(total), "mem_type": "kB"}
        said = nx.dumped(version), nx.version_text("7.0(3)I7(4)", total)
        yield self._either(commands.VERSION, *said)
        used: Row = {"memory_usage_total": total, "memory_usage_used": total - free}
        used |= {"memory_usage_free": free, "current_memory_status": alert}
        yield self._either(commands.RESOURCES, nx.dumped(used), nx.resources_text(used))
        yield commands.BOOT, nx.boot_text("" if name in self.boot_unset else BOOT_IMAGE)
        yield commands.VDC, nx.vdc_text(name, self.route_memory.get(name, 248))
        yield commands.LOG, f"{QUIET}{self.log.get(name, '')}"

    def _neighbors(self, node: NodeIntent) -> list[Row]:
        return [
            {
                "rid": str(self.intent.nodes[port.far.node].loopback),
                "state": "FULL",
                "drstate": "-",
                "addr": str(self.intent.nodes[port.far.node].loopback),
                "intf": port.name.replace("Ethernet", "Eth"),
            }
            for port in node.ports
            if port.kind is LinkKind.FABRIC and not self._cut(node.node.name, port.far.node)
        ]

    def _peers(self, name: str, node: NodeIntent, *, evpn: bool) -> list[Row]:
        found = []
        for peer in node.peers:
            if not (peer.evpn if evpn else peer.ipv4):
                continue
            if evpn and (name, peer.node) in self.not_configured:
                continue
            up = self._up(name, peer.node, address_families=not peer.ipv4)
            state = "Shut (Admin)" if (name, peer.node) in self.shut else "Active"
            if (name, peer.node) in self.prefix_limit:
                state = "Idle (PfxCt)"
            row = {"neighborid": peer.key, "neighboras": str(peer.asn)}
            count = len(self._kept(name, self._sent(peer.node, name))) if up else 0
            state = "Established" if up else state
            found.append({**row, "state": state, "prefixreceived": str(count)})
        return found

    def _kept(self, name: str, routes: frozenset[Route]) -> list[Route]:
        """What a node keeps of what it gets: a VTEP what it imports, a spine all."""
        node = self.intent.nodes[name]
        if name not in self.fabric.vteps:
            return sorted(routes, key=lambda route: (route.rd, route.key))
        mine = {self._import(name, vni) for vni in node.vnis}
        pair = self.fabric.itself(name)
        kept = (
            route
            for route in routes
            if (route.origin == name or route.targets & mine)
            and (route.origin not in pair - {name} or route.key.startswith("[5]"))
        )
        return sorted(kept, key=lambda route: (route.rd, route.key))

    def _entries(self, name: str, node: NodeIntent, kind: int) -> list[Row]:
        """Tables of remote RDs, then those of the node's own L2 VNIs with what they let in."""
        known = self._kept(name, self._known(name))
        routes = [route for route in known if route.key.startswith(f"[{kind}]")]
        remote = [route for route in routes if route.origin != name]
        found = [
            self._entry(rd, None, [route for route in remote if route.rd == rd])
            for rd in dict.fromkeys(route.rd for route in remote)
        ]
        for l2 in node.l2vnis:
            vni = l2.network.vni
            if (name, vni) not in self.vnis_down:
                target = self._import(name, vni)
                let_in = [route for route in routes if target in route.targets]
                found.append(self._entry(f"{node.loopback}:{32767 + vni}", vni, let_in))
        return [entry for entry in found if entry["prefixes"]]

    def _entry(self, rd: str, vni: int | None, routes: Sequence[Route]) -> Row:
        return {
            "rd": rd,
            "vni": vni,
            "prefixes": [
                (
                    nexus_key(route.key),
                    str(self.intent.nodes[route.origin].vtep)
                    if route.key.startswith("[5]")
                    else self.announced(route.origin),
                    " ".join(f"RT:{target}" for target in sorted(route.targets)),
                )
                for route in routes
            ],
        }


def nexus_key(key: str) -> str:
    """FRR's way of writing an EVPN prefix in NX-OS's."""
    match key[1:-1].split("]:["):
        case ["2", tag, length, mac]:
            return f"[2]:[0]:[{tag}]:[{length}]:[{_dotted(mac)}]:[0]:[0.0.0.0]/216"
        case ["2", tag, length, mac, bits, ip]:
            return f"[2]:[0]:[{tag}]:[{length}]:[{_dotted(mac)}]:[{bits}]:[{ip}]/248"
        case ["5", tag, length, prefix]:
            return f"[5]:[0]:[{tag}]:[{length}]:[{prefix}]/224"
        case _:
            return f"{key}/88"


def _dotted(mac: str) -> str:
    digits = mac.replace(":", "")
    return f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"
