"""What a Nexus's template needs to know of a node, worked out so that it only loops.

Names and order of what is written follow Cisco's VXLAN EVPN guides; what a release refuses before
another line is there is in the templates' order: features first, `vrf member` and `no switchport`
before addresses, `vn-segment` and a VRF's `vni` before `member vni`, route maps before sessions.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from labctl.model.fit import boot_image_of, syntax_of
from labctl.model.intent import (
    ANYCAST_GATEWAY_MAC,
    FABRIC_MTU,
    L2Vni,
    L3Vni,
    LinkKind,
    NodeIntent,
    Pair,
)
from labctl.model.lab import Fabric, Replication, Routing
from labctl.model.platform import Platform
from labctl.model.role import Role
from labctl.model.saved import is_whole
from labctl.model.secret import ADMIN_PASSWORD
from labctl.model.site import Site
from labctl.render.environment import Verbatim
from labctl.render.nxos_peers import peer_templates
from labctl.render.nxos_ports import channels, external_ports, switch_ports, vlan_lists

_MOST_PATHS = 64
"""`maximum-paths` of the Nexus 9000 ends here (Cisco's unicast routing guide, BGP)."""
_DISCARD = "Null0"


def context(node: NodeIntent, fabric: Fabric, platform: Platform, site: Site) -> dict[str, object]:
    """The variables of templates/day0/nxos, beyond those that all devices have."""
    vtep = node.vtep
    return {
        "admin_password": ADMIN_PASSWORD,
        "boot_variable": platform.boot_variable,
        "boot_image": boot_image_of(node.node),
        "cards": list(_cards(node, platform)),
        "management_gateway": node.management_gateway,
        "i7": syntax_of(platform, node.node) == "i7",
        "ospf": fabric.routing is Routing.OSPF,
        "pim": _pim(node, fabric),
        "loopback": node.loopback,
        "vtep": vtep,
        "vtep_interface": "loopback0" if vtep == node.loopback else "loopback1",
        "pair": _pair(node, site) if node.pair else None,
        "fabric_mtu": FABRIC_MTU,
        "gateway_mac": _dotted(ANYCAST_GATEWAY_MAC),
        "networks": [_network(vni) for vni in node.l2vnis],
        "vrfs": [_vrf(vni) for vni in node.l3vnis],
        "vlan_lists": vlan_lists(_vlans(node)),
        **_ports(node),
        **_bgp(node, fabric),
        "whole": is_whole(node.node.extra_config),
        "extra_config": Verbatim(node.node.extra_config.rstrip("\n")),
    }


def _cards(node: NodeIntent, platform: Platform) -> Iterator[tuple[int, str]]:
    """Slot and model of the line cards that wired ports are on, but the first, which is there.

    CML's definition of the 9500v with 148 ports inserts N9K-X9516v, X9532v and X9536v: the
    model's last digits are its number of ports.
    """
    modules = platform.interfaces.modules
    last = max((port.number for port in node.ports), default=0)
    for slot in range(2, len(modules) + 1):
        if last > sum(modules[: slot - 1]):
            yield slot, f"N9K-X95{modules[slot - 1]}v"


def _pim(node: NodeIntent, fabric: Fabric) -> dict[str, object] | None:
    if fabric.replication is Replication.INGRESS:
        return None
    return {"rp": fabric.rp, "groups": fabric.groups, "members": node.rendezvous}


def _pair(node: NodeIntent, site: Site) -> dict[str, object]:
    pair = node.pair
    assert pair is not None
    return {
        "number": pair.number,
        "peer": pair.peer,
        "priority": 100 if pair.is_first else 200,
        "vtep": pair.vtep,
        "vlan": pair.vlan,
        "backup": pair.backup,
        "keepalive": _keepalive(node, pair, site),
    }


def _keepalive(node: NodeIntent, pair: Pair, site: Site) -> dict[str, object]:
    """Over the management network where nodes share one, else from loopback to loopback."""
    if site.management == "nat" and node.management and pair.peer_management:
        own, far = node.management.ip, pair.peer_management.ip
        return {"own": own, "far": far, "vrf": "management"}
    return {"own": node.loopback, "far": pair.peer_loopback, "vrf": "default"}


def _dotted(mac: str) -> str:
    digits = mac.replace(":", "")
    return ".".join(digits[at : at + 4] for at in (0, 4, 8))


def _network(vni: L2Vni) -> dict[str, object]:
    network = vni.network
    return {
        "name": network.name,
        "vlan": network.vlan,
        "vni": network.vni,
        "gateway": network.gateway,
        "vrf": vni.vrf,
        "route_target": vni.route_target,
        "group": vni.group,
    }


def _vrf(vni: L3Vni) -> dict[str, object]:
    """`ways_out`: next hops of the default route a border originates; it needs one to have it."""
    ways_out: list[IPv4Address | str] = []
    if vni.default_route:
        ways_out = [external.neighbor for external in vni.externals] or [_DISCARD]
    return {
        "name": vni.vrf.name,
        "vni": vni.vrf.vni,
        "vlan": vni.vlan,
        "route_target": vni.route_target,
        "ways_out": ways_out,
        "externals": vni.externals,
    }


def _vlans(node: NodeIntent) -> Iterator[int]:
    """The VLANs of a VTEP; VLAN 1 is there, and stays."""
    if node.vtep:
        yield 1
    yield from (vni.network.vlan for vni in node.l2vnis)
    yield from (vni.vlan for vni in node.l3vnis)
    if node.pair:
        yield node.pair.vlan


def _ports(node: NodeIntent) -> dict[str, object]:
    external = external_ports(node)
    taken = {name for name, _ in external}
    extra = [port for port in node.ports if port.kind is LinkKind.EXTRA]
    return {
        "fabric_ports": [port for port in node.ports if port.kind is LinkKind.FABRIC],
        "channels": channels(node),
        "switch_ports": switch_ports(node),
        "routed_ports": [port for port in extra if port.name not in taken],
        "external_ports": external,
    }


def _bgp(node: NodeIntent, fabric: Fabric) -> dict[str, object]:
    groups = peer_templates(node)
    own = [node.loopback, node.vtep, node.pair.vtep if node.pair else None]
    if node.rendezvous:
        own.append(fabric.rp)
    return {
        "asn": node.asn,
        "groups": groups,
        "unchanged": any(group.unchanged for group in groups),
        "own_addresses": list(dict.fromkeys(address for address in own if address)),
        "paths": _paths(node),
    }


def _paths(node: NodeIntent) -> int:
    """Equal paths to use: one by each spine; to a vPC pair, one by each half."""
    spines = sum(peer.evpn for peer in node.peers) if node.node.role is not Role.SPINE else 0
    return min(max(spines, 2), _MOST_PATHS)
