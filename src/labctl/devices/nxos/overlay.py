"""What a Nexus that is a VTEP says besides: VNIs, flood lists, tunnels, tenants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address

from labctl.devices.facts import INGRESS, EvpnRoute, Nve, TenantVni, Vni, VniTargets, VxlanDevice
from labctl.devices.nxos import commands, evpn, nve, routes, system
from labctl.devices.nxos.choose import changed, either
from labctl.devices.reading import Appliance, NodeReading, TextOf, Unknown, no_output
from labctl.model.intent import NodeIntent

Vteps = frozenset[IPv4Address]
Floods = Mapping[int, Vteps] | Unknown
_NVE = (
    commands.NVE,
    "show nve interface nve1 detail",
    "show nve interface nve 1",
    "show nve interface nve1",
    "show nve interface",
)
_NO_TARGETS = no_output("show bgp evi VNI", "show bgp process vrf VRF") + " that can be read"


def with_overlay(text_of: TextOf, node: NodeIntent, reading: NodeReading) -> NodeReading:
    """A VTEP's reading, with all that only a VTEP says."""
    interface = either(text_of, nve.nve, *_NVE)
    peers = either(text_of, nve.peers, commands.NVE_PEERS, f"{commands.NVE_PEERS} detail")
    table = either(text_of, nve.vnis, commands.NVE_VNIS)
    macs = either(text_of, nve.macs, commands.MACS)
    floods = _floods(text_of, reading.routes[3], node)
    return replace(
        reading,
        vnis=changed(table, lambda each: _vnis(each, floods, macs)),
        bgp_vnis=Unknown(_NO_TARGETS),
        bgp_details=_targets(text_of, node),
        router_macs=changed(peers, lambda each: _router_macs(each, node)),
        tenants=changed(table, _tenants),
        ribs={
            l3.vrf.name: either(text_of, routes.rib, commands.vrf_routes(l3.vrf.name))
            for l3 in node.l3vnis
        },
        vxlan_devices=changed(interface, lambda each: _devices(each, node.vnis)),
        appliance=_appliance(text_of, reading.appliance, interface, peers),
    )


def _appliance(
    text_of: TextOf,
    appliance: Appliance | None,
    interface: Nve | Unknown | None,
    peers: Mapping[IPv4Address, nve.TunnelPeer] | Unknown,
) -> Appliance | None:
    configurations = (commands.RUN_OVERLAY, "show running-config")
    return appliance and replace(
        appliance,
        nve=changed(interface, lambda each: each or Nve("nve1", "absent", None)),
        tunnel_peers=changed(peers, lambda each: {ip: peer.up for ip, peer in each.items()}),
        arp_suppression=either(text_of, system.arp_suppression, *configurations),
        arp_tcam=either(text_of, system.arp_tcam, commands.TCAM),
    )


def _floods(text_of: TextOf, type3: tuple[EvpnRoute, ...] | Unknown, node: NodeIntent) -> Floods:
    """The other VTEPs in each VNI's flood list: as it is, or as the routes let into it make it."""
    lists: Floods = either(text_of, nve.flood_lists, commands.REPLICATION)
    if isinstance(lists, Unknown):
        lists = changed(type3, _let_in)
    if isinstance(lists, Unknown):
        lists = either(text_of, nve.imet, commands.IMET, f"{commands.IMET} detail")
    own = {node.vtep, node.loopback, node.pair.vtep if node.pair else None}
    return changed(lists, lambda each: {vni: vteps - own for vni, vteps in each.items()})


def _let_in(type3: Iterable[EvpnRoute]) -> Mapping[int, Vteps]:
    found: dict[int, set[IPv4Address]] = {}
    for route in type3:
        if route.vni is not None and route.originator is not None:
            found.setdefault(route.vni, set()).add(route.originator)
    return {vni: frozenset(vteps) for vni, vteps in found.items()}


def _vnis(
    table: Mapping[int, nve.NveVni], floods: Floods, macs: Counter[int] | Unknown
) -> Mapping[int, Vni]:
    """A VNI that floods to a multicast group has no list of VTEPs."""
    found = {}
    for number, each in table.items():
        vni = each.vni
        if not isinstance(macs, Unknown) and each.bridge:
            vni = replace(vni, macs=macs[each.bridge])
        if not isinstance(floods, Unknown) and vni.layer == 2 and vni.group == INGRESS:
            vni = replace(vni, remote_vteps=floods.get(number, frozenset()))
        found[number] = vni
    return found


def _targets(text_of: TextOf, node: NodeIntent) -> Mapping[int, VniTargets]:
    asked = [(evpn.evi, commands.evi(l2.network.vni)) for l2 in node.l2vnis]
    asked += [(evpn.vrf, commands.bgp_vrf(l3.vrf.name)) for l3 in node.l3vnis]
    each = (either(text_of, parse, command) for parse, command in asked)
    return {targets.vni: targets for targets in each if not isinstance(targets, Unknown)}


def _router_macs(
    peers: Mapping[IPv4Address, nve.TunnelPeer], node: NodeIntent
) -> Mapping[int, Vteps]:
    """NX-OS keeps one for each peer, whatever the tenant."""
    known = frozenset(ip for ip, peer in peers.items() if peer.router_mac)
    return {l3.vrf.vni: known for l3 in node.l3vnis}


def _tenants(table: Mapping[int, nve.NveVni]) -> Mapping[str, TenantVni]:
    vnis = (each.vni for each in table.values())
    return {vni.vrf: TenantVni(vni.vrf, vni.vni, vni.state) for vni in vnis if vni.layer == 3}


def _devices(interface: Nve | None, vnis: Iterable[int]) -> Mapping[int, VxlanDevice]:
    """One interface carries them all."""
    if interface is None:
        return {}
    return {vni: VxlanDevice(vni, interface.name, interface.up) for vni in vnis}
