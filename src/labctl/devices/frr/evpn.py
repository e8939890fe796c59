"""Parsers of the EVPN tables: VNIs, route targets, routes, router MACs."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Any

from labctl.devices.facts import (
    BgpVnis,
    EvpnRoute,
    ParseError,
    RibRoute,
    TenantVni,
    Vni,
    VniTargets,
)
from labctl.devices.frr.jsontext import json_object, refuse_dead_daemon
from labctl.devices.values import (
    TEXT_LIMIT,
    address,
    addresses,
    network,
    objects,
    strings,
    whole,
)

_VNI_ROW = re.compile(
    r"^(?P<vni>\d+)\s+(?P<layer>L[23])\s+(?P<device>\S+)\s+(?P<macs>\d+)\s+\d+\s+"
    r"(?P<remote>\d+|n/a)\s+(?P<vrf>\S+)"
)
_FIELD = re.compile(r"\[([^\]]*)\]")
_TARGET = re.compile(r"\bRT:(\S+)")


def vnis(text: str) -> dict[int, Vni]:
    """`show evpn vni [N] [json]`; a node without VNIs prints an empty line."""
    refuse_dead_daemon(text)
    stripped = text.strip()
    if not stripped or stripped[0] in "{[":
        return _json_vnis(json_object(stripped))
    if not stripped.startswith("VNI "):
        raise ParseError(f"no table of VNIs: {stripped[:TEXT_LIMIT]!r}")
    rows = (_VNI_ROW.match(line) for line in stripped.splitlines())
    return {int(row["vni"]): _text_vni(row) for row in rows if row is not None}


def _text_vni(row: re.Match[str]) -> Vni:
    layer = int(row["layer"][1])
    count = whole(row["remote"])
    remote = frozenset[IPv4Address]() if count == 0 else None
    macs = int(row["macs"])
    return Vni(int(row["vni"]), layer, row["vrf"], row["device"], macs, remote, count)


def _json_vnis(document: dict[str, Any]) -> dict[int, Vni]:
    entries = [document] if "vni" in document else list(objects(document).values())
    found = [_json_vni(entry) for entry in entries if whole(entry.get("vni")) is not None]
    return {vni.vni: vni for vni in found}


def _json_vni(entry: dict[str, Any]) -> Vni:
    """One VNI. `numRemoteVteps` is a number, a list of addresses, "n/a" or missing (none)."""
    layer = 3 if str(entry.get("type", "L2")) == "L3" else 2
    said = entry.get("numRemoteVteps")
    listed = said if isinstance(said, list) else entry.get("remoteVteps")
    count = len(listed) if isinstance(listed, list) else whole(said)
    remote = addresses(listed) if layer == 2 and (listed or not count) else None
    return Vni(
        vni=whole(entry["vni"]) or 0,
        layer=layer,
        vrf=str(entry.get("tenantVrf", entry.get("vrf", ""))),
        device=str(entry.get("vxlanIf", entry.get("vxlanInterface", entry.get("vxlanIntf", "")))),
        macs=whole(entry.get("numMacs")),
        remote_vteps=remote,
        remote_count=(count or 0) if layer == 2 else None,
        state=str(entry.get("state", "")),
    )


def bgp_vnis(text: str) -> BgpVnis:
    """`show bgp l2vpn evpn vni [N] json`.

    The list writes importRTs, the detail importRts; `advertiseAllVnis` heads the list.
    """
    if not text.strip():
        raise ParseError("empty")
    document = json_object(text)
    entries = [document] if "vni" in document else list(objects(document).values())
    found = {}
    for entry in entries:
        number = whole(entry.get("vni"))
        if number is not None:
            imports = strings(entry.get("importRTs", entry.get("importRts")))
            exports = strings(entry.get("exportRTs", entry.get("exportRts")))
            live = str(entry.get("inKernel", "True")) == "True"
            found[number] = VniTargets(number, imports, exports, live)
    said = document.get("advertiseAllVnis")
    return BgpVnis(found, None if said is None else said == "Enabled")


def evpn_routes(text: str) -> tuple[EvpnRoute, ...]:
    """`show bgp l2vpn evpn [route [type T]] json`: routes by RD, one per RD and prefix."""
    if not text.strip():
        raise ParseError("empty")
    found = []
    for rd, table in objects(json_object(text)).items():
        for name, entry in objects(table).items():
            route = _route(rd, name, entry)
            if route is not None:
                found.append(route)
    return tuple(found)


def _route(rd: str, name: str, entry: dict[str, Any]) -> EvpnRoute | None:
    fields = _FIELD.findall(name)
    paths = _flat(entry.get("paths"))
    if not fields or not paths or not fields[0].isdecimal():
        return None
    targets = frozenset(target for path in paths for target in _path_targets(path))
    hops = frozenset[IPv4Address]().union(*(addresses(path.get("nexthops")) for path in paths))
    match fields:
        case ["2", _, _, mac, *rest]:
            ip = rest[1] if len(rest) == 2 else ""
            return EvpnRoute(2, rd, targets, hops, mac=mac.lower(), address=ip)
        case ["3", _, _, originator]:
            return EvpnRoute(3, rd, targets, hops, originator=address(originator))
        case ["5", _, length, prefix]:
            return EvpnRoute(5, rd, targets, hops, prefix=network(f"{prefix}/{length}"))
        case _:
            return None


def _flat(paths: object) -> list[dict[str, Any]]:
    """Paths come as a list of paths, or as a list of lists of paths."""
    if not isinstance(paths, list):
        return []
    flat = [inner for path in paths for inner in (path if isinstance(path, list) else [path])]
    return [path for path in flat if isinstance(path, dict)]


def _path_targets(path: dict[str, Any]) -> list[str]:
    community = path.get("extendedCommunity")
    said = community.get("string", "") if isinstance(community, dict) else ""
    return _TARGET.findall(str(said))


def router_macs(text: str) -> dict[int, frozenset[IPv4Address]]:
    """`show evpn rmac vni all json`: the VTEPs whose router MAC each L3 VNI has."""
    found = {}
    for number, table in objects(json_object(text)).items():
        vni = whole(number)
        if vni is not None:
            vteps = (address(entry.get("vtepIp")) for entry in objects(table).values())
            found[vni] = frozenset(vtep for vtep in vteps if vtep is not None)
    return found


def tenant_vnis(text: str) -> dict[str, TenantVni]:
    """`show vrf vni json`, by VRF."""
    if not text.strip():
        raise ParseError("empty")
    found = {}
    entries = json_object(text).get("vrfs")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and (vni := whole(entry.get("vni"))) is not None:
            name = str(entry.get("vrf", ""))
            state, mac = str(entry.get("state", "")), str(entry.get("routerMac", ""))
            found[name] = TenantVni(name, vni, state, mac)
    return found


def rib(text: str) -> tuple[RibRoute, ...]:
    """`show ip route vrf NAME json`."""
    if not text.strip():
        raise ParseError("empty")
    found = []
    for name, entries in json_object(text).items():
        prefix = network(name)
        for entry in entries if isinstance(entries, list) else []:
            if prefix is not None and isinstance(entry, dict):
                hops = addresses(entry.get("nexthops"))
                selected, protocol = bool(entry.get("selected")), str(entry.get("protocol", ""))
                found.append(RibRoute(prefix, protocol, selected, hops))
    return tuple(found)
