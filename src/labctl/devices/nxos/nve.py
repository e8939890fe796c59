"""Parsers of the overlay's data plane: NVE interface, peers, VNIs, flood lists, l2route."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from labctl.devices.facts import INGRESS, EvpnRoute, Nve, ParseError, Vni
from labctl.devices.nxos.jsontext import document, rows
from labctl.devices.nxos.names import mac
from labctl.devices.values import TEXT_LIMIT, address, whole

_IPV4 = r"\d+(?:\.\d+){3}"
_NVE = re.compile(r"^\s*Interface:\s*(nve\d+),\s*State:\s*(\w+)", re.MULTILINE)
_PRIMARY = re.compile(rf"\(primary:\s*({_IPV4})")


def nve(text: str) -> Nve | None:
    """`show nve interface nve 1 [detail]`; JSON or text. None: no output, so no such interface."""
    found = document(text)
    if found is not None:
        row = next(rows(found, "nve_if"), None)
        if row is None:
            return None
        name, state = str(row.get("if-name", "")), str(row.get("if-state", ""))
        return Nve(name, state, address(row.get("primary-ip")))
    match = _NVE.search(text)
    if match is None:
        _nothing(text)
        return None
    primary = _PRIMARY.search(text)
    return Nve(match[1], match[2], address(primary[1]) if primary else None)


def _nothing(text: str) -> None:
    """ParseError for a text that says something else than nothing."""
    if text.strip():
        raise ParseError(f"can't be read: {text.strip()[:TEXT_LIMIT]!r}")


@dataclass(frozen=True, slots=True)
class TunnelPeer:
    """A VTEP at the far end. `router_mac` "" where it has none for us."""

    up: bool
    router_mac: str


_PEER = re.compile(
    rf"^\s*nve\d+\s+(?P<ip>{_IPV4})\s+(?P<state>\w+)\s+\w+\s+\S+\s+(?P<mac>\S+)\s*$", re.MULTILINE
)


def peers(text: str) -> dict[IPv4Address, TunnelPeer]:
    """`show nve peers [detail]`; JSON or text. No output is no peer."""
    found = document(text)
    if found is None:
        _expect(text, "Peer-IP")
        said = [(m["ip"], m["state"], m["mac"]) for m in _PEER.finditer(text)]
    else:
        said = [
            (str(row.get("peer-ip")), str(row.get("peer-state")), str(row.get("router-mac")))
            for row in rows(found, "nve_peers")
        ]
    each = ((address(ip), TunnelPeer(state == "Up", mac(rmac))) for ip, state, rmac in said)
    return {ip: peer for ip, peer in each if ip is not None}


def _expect(text: str, heading: str) -> None:
    """ParseError for a text that is neither empty nor the table of that heading."""
    if heading not in text:
        _nothing(text)


_VNI = re.compile(
    r"^\s*(?P<nve>nve\d+)\s+(?P<vni>\d+)\s+(?P<group>\S+)\s+(?P<state>\w+)\s+\w+\s+"
    r"(?P<type>L[23] \[[^\]]*\])",
    re.MULTILINE,
)
_TYPE = re.compile(r"L([23]) \[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class NveVni:
    """A VNI of the NVE interface; `bridge` is an L2 VNI's VLAN, 0 where it has none."""

    vni: Vni
    bridge: int


def vnis(text: str) -> dict[int, NveVni]:
    """`show nve vni`; JSON or text. No output is no VNI."""
    found = document(text)
    if found is None:
        _expect(text, "Multicast-group")
        names = ("nve", "vni", "group", "state", "type")
        said = [tuple(m[name] for name in names) for m in _VNI.finditer(text)]
    else:
        keys = ("if-name", "vni", "mcast", "vni-state", "type")
        said = [tuple(str(row.get(key, "")) for key in keys) for row in rows(found, "nve_vni")]
    each = [_vni(*fields) for fields in said]
    return {one.vni.vni: one for one in each if one is not None}


def _vni(nve_name: str, number: str, group: str, state: str, kind: str) -> NveVni | None:
    what, vni = _TYPE.search(kind), whole(number)
    if what is None or vni is None:
        return None
    layer, inside = int(what[1]), what[2]
    flooded = {"UnicastBGP": INGRESS, "n/a": ""}.get(group, group)
    vrf = inside if layer == 3 else ""
    return NveVni(
        Vni(vni, layer, vrf=vrf, device=nve_name, state=state, group=flooded),
        bridge=(whole(inside) or 0) if layer == 2 else 0,
    )


_LIST = re.compile(rf"^\s*(?:nve\d+\s+(?P<vni>\d+))?(?:\s+(?P<ip>{_IPV4})\s+\S+\s+\S+)?\s*$")


def flood_lists(text: str) -> dict[int, frozenset[IPv4Address]]:
    """`show nve vni ingress-replication`: the VTEPs each VNI floods to. Text only."""
    if document(text) is not None:
        raise ParseError("JSON whose shape isn't known")
    _expect(text, "Replication List")
    found: dict[int, set[IPv4Address]] = {}
    vni: int | None = None
    for line in text.splitlines():
        match = _LIST.match(line)
        if match is None or not line.strip():
            continue
        vni = whole(match["vni"]) if match["vni"] else vni
        if vni is not None:
            found.setdefault(vni, set()).update(_address(match["ip"]))
    return {number: frozenset(vteps) for number, vteps in found.items()}


def _address(text: str | None) -> Iterator[IPv4Address]:
    parsed = address(text)
    if parsed is not None:
        yield parsed


_IMET = re.compile(
    rf"^\s*\d+\s+(?P<vni>\d+)\s+(?P<producer>[A-Z]+)\s+(?P<ip>{_IPV4})\s", re.MULTILINE
)


def imet(text: str) -> dict[int, frozenset[IPv4Address]]:
    """`show l2route evpn imet all [detail]`: the VTEPs whose type-3 routes got in. Text only."""
    if document(text) is not None:
        raise ParseError("JSON whose shape isn't known")
    _expect(text, "Topology ID")
    found: dict[int, set[IPv4Address]] = {}
    for match in _IMET.finditer(text):
        remote = found.setdefault(int(match["vni"]), set())
        if match["producer"] == "BGP":
            remote.update(_address(match["ip"]))
    return {number: frozenset(vteps) for number, vteps in found.items()}


_MAC = re.compile(
    r"^\s*(?P<bridge>\d+)\s+[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}\s+(?P<producer>\w+)\s", re.MULTILINE
)


def macs(text: str) -> Counter[int]:
    """`show l2route evpn mac all`: how many MACs of hosts each bridge (VLAN) has."""
    found = document(text)
    if found is None:
        _expect(text, "Mac Address")
        said = [(m["bridge"], m["producer"]) for m in _MAC.finditer(text)]
    else:
        table = rows(found, "l2route_mac_all")
        said = [(str(row.get("topo-id")), str(row.get("prod-type"))) for row in table]
    hosts = (whole(bridge) for bridge, producer in said if producer != "VXLAN")  # router MACs
    return Counter(bridge for bridge in hosts if bridge is not None)


_MAC_IP = re.compile(
    rf"^\s*\d+\s+(?P<mac>[0-9a-f]{{4}}(?:\.[0-9a-f]{{4}}){{2}})\s+"
    rf"(?:(?P<early>{_IPV4})\s+)?(?P<producer>BGP|HMM)\s+\S+\s+\d+\s+(?:(?P<late>{_IPV4})\s+)?"
    r"(?P<hop>\S+)",
    re.MULTILINE,
)


def mac_ips(text: str) -> tuple[EvpnRoute, ...]:
    """`show l2route evpn mac-ip all`: hosts known here, as routes without RD and targets.

    The host's address is before the producer or after the sequence number, by release.
    """
    found = document(text)
    if found is None:
        _expect(text, "Host IP")
        said = [(m["mac"], m["early"] or m["late"], m["hop"]) for m in _MAC_IP.finditer(text)]
    else:
        table = rows(found, "l2route_mac_ip_all")
        said = [(str(r.get("mac-addr")), str(r.get("host-ip")), _hop(r)) for r in table]
    return tuple(
        EvpnRoute(2, "", frozenset(), frozenset(_address(hop)), mac=mac(each), address=ip)
        for each, ip, hop in said
        if ip
    )


def _hop(row: dict[str, object]) -> str:
    return str(next((value for key, value in row.items() if key.startswith("next-hop")), ""))
