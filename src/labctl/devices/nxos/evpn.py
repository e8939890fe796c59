"""Parsers of BGP's own view: EVPN routes, and the route targets of VNIs and VRFs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from labctl.devices.facts import EvpnRoute, ParseError, VniTargets
from labctl.devices.nxos.jsontext import Row, document, first, rows
from labctl.devices.nxos.names import mac
from labctl.devices.values import TEXT_LIMIT, address, network, whole

_TARGET = re.compile(r"\bRT:(\S+)")
_FIELD = re.compile(r"\[([^\]]*)\]")


@dataclass
class _Entry:
    """One prefix in one RD's table, as it is read; `vni` where that is a table of our own."""

    rd: str
    vni: int | None
    key: str
    targets: set[str] = field(default_factory=set)
    hops: set[IPv4Address] = field(default_factory=set)


def routes(text: str) -> tuple[EvpnRoute, ...]:
    """`show bgp l2vpn evpn [route-type N | detail]`; JSON or text, with route targets or without.

    A route that came in and was let into a VNI is there twice: in the sender's table and in ours.
    """
    found = document(text)
    if found is not None:
        if "TABLE_vrf" not in found:
            raise ParseError("JSON without a BGP table")
        entries = list(_json_entries(found))
    elif "BGP routing table information" in text:
        entries = list(_text_entries(text))
    else:
        raise ParseError(f"no BGP table: {text.strip()[:TEXT_LIMIT]!r}")
    made = (_route(entry) for entry in entries)
    return tuple(route for route in made if route is not None)


def _json_entries(found: Row) -> Iterator[_Entry]:
    """Releases write afi and safi, or af and saf."""
    tables = (("vrf", "afi", "safi", "rd"), ("vrf", "af", "saf", "rd"))
    for rd in (row for names in tables for row in rows(found, *names)):
        vni = whole(first(rd, "rd_vniid", "vniid"))
        for prefix in rows(rd, "prefix"):
            entry = _Entry(str(rd.get("rd_val", "")), vni or None, str(prefix.get("nonipprefix")))
            for path in rows(prefix, "path"):
                _add_hop(entry, path.get("ipnexthop"))
                for community in rows(path, "extcommunity"):
                    entry.targets.update(_TARGET.findall(str(community.get("extcommunity"))))
            yield entry


def _add_hop(entry: _Entry, hop: object) -> None:
    parsed = address(hop)
    if parsed is not None:
        entry.hops.add(parsed)


_RD = re.compile(r"^Route Distinguisher: (?P<rd>\S+)(?:\s+\(L[23]VNI (?P<vni>\d+)\))?")
_DETAIL = re.compile(r"^BGP routing table entry for (?P<key>\S+?), version")
_TABLE = re.compile(r"^[sxSdh*>|&e ]*[ielcarI]?(?P<key>\[\d+\]\S*)\s*$")
# "* i                   10.0.0.11                         100          0 i" in the table,
# "    10.0.0.11 (metric 5) from 10.0.0.1 (10.0.0.1)" in the detail
_HOP = re.compile(
    r"^[sxSdh*>|& ]*[ielcarI]?\s{2,}(?P<hop>\d+(?:\.\d+){3})\s+(?:\(metric|.*\s[ie?]\s*$)"
)


def _text_entries(text: str) -> Iterator[_Entry]:
    """The table, or the detail of each entry; both head their routes with the RD."""
    rd, vni = "", None
    entry: _Entry | None = None
    for line in text.splitlines():
        heading = _RD.match(line)
        if heading is not None:
            rd, vni = heading["rd"], whole(heading["vni"])
            continue
        start = _DETAIL.match(line) or _TABLE.match(line)
        if start is not None:
            if entry is not None:
                yield entry
            entry = _Entry(rd, vni, start["key"])
        elif entry is not None:
            entry.targets.update(_TARGET.findall(line))
            hop = _HOP.match(line)
            _add_hop(entry, hop["hop"] if hop else None)
    if entry is not None:
        yield entry


def _route(entry: _Entry) -> EvpnRoute | None:
    targets, hops = frozenset(entry.targets), frozenset(entry.hops)
    rd, vni = entry.rd, entry.vni
    match _FIELD.findall(entry.key):
        case ["2", _, _, _, each, _, ip]:
            host = "" if ip == "0.0.0.0" else ip  # written for none
            return EvpnRoute(2, rd, targets, hops, mac=mac(each), address=host, vni=vni)
        case ["3", _, _, origin]:
            return EvpnRoute(3, rd, targets, hops, originator=address(origin), vni=vni)
        case ["5", _, _, length, prefix]:
            net = network(f"{prefix}/{length}")
            return EvpnRoute(5, rd, targets, hops, prefix=net, vni=vni)
        case _:
            return None


_EVI = re.compile(r"L2VNI ID\s*:\s*(\d+)")
_VNID = re.compile(r"^\s*VNID\s*:\s*(\d+)", re.MULTILINE)
_VALUE = re.compile(r"\b\d+(?:\.\d+)*:\d+\b")


def evi(text: str) -> VniTargets:
    """`show bgp evi VNI`: an L2 VNI's route targets in use. Text only."""
    return _targets(text, _EVI, "Active")


def vrf(text: str) -> VniTargets:
    """`show bgp process vrf X`: a VRF's L3 VNI and its route targets for EVPN. Text only."""
    return _targets(text, _VNID, "EVPN")


def _targets(text: str, vni: re.Pattern[str], which: str) -> VniTargets:
    number = vni.search(text)
    if document(text) is not None or number is None:
        raise ParseError(f"no VNI: {text.strip()[:TEXT_LIMIT]!r}")
    imports = _listed(text, f"{which} Import RT list")
    return VniTargets(int(number[1]), imports, _listed(text, f"{which} Export RT list"))


def _listed(text: str, title: str) -> frozenset[str]:
    """The targets on the title's line and those that follow it, in its first appearance."""
    _, _, after = text.partition(title)
    found: list[str] = []
    for number, line in enumerate(after.lstrip(" :\t").splitlines()):
        values = _VALUE.findall(line)
        if not values and (number or line.strip()):
            break
        found += values
    return frozenset(found)
