"""What a Nexus says, from whichever of its show commands are at hand, as JSON or as text."""

from __future__ import annotations

from dataclasses import replace

from labctl.devices.facts import EvpnRoute, Memory
from labctl.devices.nxos import commands, evpn, neighbors, nve, system
from labctl.devices.nxos.choose import either
from labctl.devices.nxos.overlay import with_overlay
from labctl.devices.reading import Appliance, NodeReading, TextOf, Unknown
from labctl.model.intent import NodeIntent


def read_node(text_of: TextOf, node: NodeIntent) -> NodeReading:
    """Parse all there is."""
    ospf = (commands.OSPF_NEIGHBORS, "show ip ospf neighbors vrf all", "show ip ospf neighbor")
    ipv4 = (commands.IPV4_SUMMARY, "show ip bgp summary")
    reading = NodeReading(
        memory=_memory(text_of),
        adjacencies=either(text_of, neighbors.ospf_neighbors, *ospf),
        ipv4_peers=either(text_of, neighbors.summary, *ipv4),
        evpn_peers=either(text_of, neighbors.summary, commands.EVPN_SUMMARY),
        routes={kind: _routes(text_of, kind) for kind in (2, 3, 5)},
        appliance=_appliance(text_of),
    )
    return with_overlay(text_of, node, reading) if node.node.role.is_vtep else reading


def _memory(text_of: TextOf) -> Memory | Unknown:
    """How much there is by `show version`, how much is free by `show system resources`."""
    version = either(text_of, system.version, commands.VERSION)
    used = either(text_of, system.resources, commands.RESOURCES)
    if isinstance(version, Unknown):
        return version if isinstance(used, Unknown) else used
    if isinstance(used, Unknown):
        return Memory(version.memory, None)
    return replace(used, total=version.memory)


def _appliance(text_of: TextOf) -> Appliance:
    logs = (commands.LOG, "show logging last", "show logging logfile")
    return Appliance(
        boot=either(text_of, system.boot, commands.BOOT),
        route_memory=either(text_of, system.route_memory, commands.VDC, commands.RUN_VDC),
        complaints=either(text_of, system.complaints, *logs),
    )


def _routes(text_of: TextOf, kind: int) -> tuple[EvpnRoute, ...] | Unknown:
    """The routes of a type; hosts are also told by l2route, which leaves out what isn't let in."""
    tables = (commands.evpn_routes(kind), f"{commands.EVPN_TABLE} detail", commands.EVPN_TABLE)
    found = either(text_of, evpn.routes, *tables)
    if isinstance(found, Unknown) and kind == 2:
        hosts = either(text_of, nve.mac_ips, commands.MAC_IPS)
        found = found if isinstance(hosts, Unknown) else hosts
    if isinstance(found, Unknown):
        return found
    return tuple(route for route in found if route.kind == kind)
