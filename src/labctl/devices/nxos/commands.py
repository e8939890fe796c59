"""NX-OS's show commands as labctl asks them: those that speak JSON with `| json` behind."""

from __future__ import annotations

from labctl.model.intent import NodeIntent
from labctl.model.lab import Routing

JSON = " | json"

SAVE = "copy running-config startup-config"
SAVED = "Copy complete."
"""Not "Copy complete, now saving to disk": that is half-way."""

VERSION = "show version"
RESOURCES = "show system resources"
BOOT = "show boot"
VDC = "show vdc resource detail"
RUN_VDC = "show running-config vdc"
LOG = "show logging last 200"
OSPF_NEIGHBORS = "show ip ospf neighbors"
IPV4_SUMMARY = "show bgp ipv4 unicast summary"
EVPN_SUMMARY = "show bgp l2vpn evpn summary"
EVPN_TABLE = "show bgp l2vpn evpn"
NVE = "show nve interface nve 1 detail"
NVE_PEERS = "show nve peers"
NVE_VNIS = "show nve vni"
REPLICATION = "show nve vni ingress-replication"
"""Text only, as far as is known."""
MACS = "show l2route evpn mac all"
MAC_IPS = "show l2route evpn mac-ip all"
IMET = "show l2route evpn imet all"
RUN_OVERLAY = "show running-config nv overlay"
TCAM = "show hardware access-list tcam region"

_SYSTEM = (VERSION + JSON, RESOURCES + JSON, BOOT, VDC, LOG)
_OVERLAY = (NVE, NVE_PEERS, NVE_VNIS, MACS)


def evpn_routes(kind: int) -> str:
    """The EVPN routes of a type, with their route targets, in each table they are in."""
    return f"{EVPN_TABLE} route-type {kind}"


def evi(vni: int) -> str:
    """An L2 VNI as BGP has it, with the route targets in use. Text only."""
    return f"show bgp evi {vni}"


def bgp_vrf(vrf: str) -> str:
    """A VRF as BGP has it, with its route targets for EVPN. Text only."""
    return f"show bgp process vrf {vrf}"


def vrf_routes(vrf: str) -> str:
    """A VRF's IPv4 table."""
    return f"show ip route vrf {vrf}"


def for_node(node: NodeIntent, routing: Routing) -> tuple[str, ...]:
    """What to ask a node to judge all it was told.

    A spine is asked for its type-3 routes too: it keeps those with any target, where a leaf drops
    what it doesn't import, so that only a spine shows a target nobody else has.
    """
    underlay = OSPF_NEIGHBORS if routing is Routing.OSPF else IPV4_SUMMARY
    structured = [underlay, EVPN_SUMMARY, evpn_routes(3)]
    plain: list[str] = []
    if node.node.role.is_vtep:
        structured += [*_OVERLAY, evpn_routes(2), evpn_routes(5)]
        structured += [vrf_routes(l3.vrf.name) for l3 in node.l3vnis]
        plain += [evi(l2.network.vni) for l2 in node.l2vnis]
        plain += [bgp_vrf(l3.vrf.name) for l3 in node.l3vnis]
        plain += [REPLICATION, RUN_OVERLAY, TCAM]
    return (*_SYSTEM, *(command + JSON for command in structured), *plain)
