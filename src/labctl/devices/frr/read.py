"""What an FRR switch says, from whichever of its show commands are at hand."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

from labctl.devices.facts import BgpVnis, EvpnRoute, Vni, VniTargets
from labctl.devices.frr import device as frr
from labctl.devices.frr import evpn, sessions
from labctl.devices.linux import parse as linux
from labctl.devices.linux.device import MEMORY_COMMAND
from labctl.devices.reading import NodeReading, TextOf, Unknown, read

_ROUTE_COMMANDS = {2: frr.TYPE2_ROUTES, 3: frr.TYPE3_ROUTES, 5: frr.TYPE5_ROUTES}
_ALL_ROUTES = ("show bgp l2vpn evpn route json", "show bgp l2vpn evpn json")
_BOTH_SUMMARIES = ("show bgp summary json", "show bgp summary")


def read_node(text_of: TextOf, vnis: Iterable[int], vrfs: Iterable[str]) -> NodeReading:
    """Parse all there is. `vnis` and `vrfs`: those asked about one by one."""
    numbers = tuple(vnis)
    return NodeReading(
        memory=read(text_of, (MEMORY_COMMAND, linux.meminfo)),
        adjacencies=read(text_of, (frr.OSPF_NEIGHBORS, sessions.ospf_neighbors)),
        ipv4_peers=read(
            text_of,
            (frr.IPV4_SUMMARY, sessions.ipv4_summary),
            (_as_text(frr.IPV4_SUMMARY), sessions.ipv4_summary),
            *((command, sessions.ipv4_summary) for command in _BOTH_SUMMARIES),
        ),
        evpn_peers=read(
            text_of,
            (frr.EVPN_SUMMARY, sessions.evpn_summary),
            (_as_text(frr.EVPN_SUMMARY), sessions.evpn_summary),
            *((command, sessions.evpn_summary) for command in _BOTH_SUMMARIES),
        ),
        vnis=read(
            text_of,
            (frr.EVPN_VNIS, evpn.vnis),
            ("show evpn vni detail json", evpn.vnis),
            (_as_text(frr.EVPN_VNIS), evpn.vnis),
        ),
        vni_details=_vni_details(text_of, numbers),
        bgp_vnis=read(text_of, (frr.BGP_VNIS, evpn.bgp_vnis)),
        bgp_details=_bgp_details(text_of, numbers),
        routes={kind: _routes(text_of, kind) for kind in _ROUTE_COMMANDS},
        router_macs=_router_macs(text_of),
        tenants=read(text_of, (frr.TENANT_VNIS, evpn.tenant_vnis)),
        ribs={vrf: read(text_of, (frr.vrf_routes(vrf), evpn.rib)) for vrf in vrfs},
        vxlan_devices=read(text_of, (frr.VXLAN_DEVICES, linux.vxlan_devices)),
    )


def _as_text(command: str) -> str:
    return command.removesuffix(" json")


def _routes(text_of: TextOf, kind: int) -> tuple[EvpnRoute, ...] | Unknown:
    commands = (_ROUTE_COMMANDS[kind], *_ALL_ROUTES)
    found = read(text_of, *((command, evpn.evpn_routes) for command in commands))
    if isinstance(found, Unknown):
        return found
    return tuple(route for route in found if route.kind == kind)


def _router_macs(text_of: TextOf) -> dict[int, frozenset[IPv4Address]] | Unknown:
    return read(text_of, (frr.ROUTER_MACS, evpn.router_macs))


def _vni_details(text_of: TextOf, numbers: Iterable[int]) -> dict[int, Vni]:
    found: dict[int, Vni] = {}
    for number in numbers:
        detail = read(text_of, (f"show evpn vni {number} json", evpn.vnis))
        if not isinstance(detail, Unknown) and number in detail:
            found[number] = detail[number]
    return found


def _bgp_details(text_of: TextOf, numbers: Iterable[int]) -> dict[int, VniTargets]:
    found: dict[int, VniTargets] = {}
    for number in numbers:
        command = f"show bgp l2vpn evpn vni {number} json"
        detail: BgpVnis | Unknown = read(text_of, (command, evpn.bgp_vnis))
        if not isinstance(detail, Unknown) and number in detail.vnis:
            found[number] = detail.vnis[number]
    return found
