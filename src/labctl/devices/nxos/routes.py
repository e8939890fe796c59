"""Parser of a VRF's IPv4 table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from labctl.devices.facts import ParseError, RibRoute
from labctl.devices.nxos.jsontext import Row, document, rows
from labctl.devices.nxos.names import protocol
from labctl.devices.values import TEXT_LIMIT, address, network

_PREFIX = re.compile(r"^(?P<prefix>\d+(?:\.\d+){3}/\d+), ubest/mbest:")
# *via 10.0.1.12%default, [200/0], 00:10:11, bgp-65000, internal, tag 65000, segid: 50001 ...
_VIA = re.compile(
    r"^\s+(?P<best>\*?)\*?via (?P<hop>[^,%\s]+)(?:%[^,]+)?,(?: (?P<out>[A-Za-z][\w./-]*),)? "
    r"\[\d+/\d+\], [^,]+, (?P<client>[^,\s]+)"
)


def rib(text: str) -> tuple[RibRoute, ...]:
    """`show ip route vrf X`; JSON or text. A prefix of several protocols is a route of each."""
    found = document(text)
    if found is not None:
        if "TABLE_vrf" not in found:
            raise ParseError("JSON without a routing table")
        return _routes(_json_paths(found))
    if "IP Route Table for VRF" not in text:
        raise ParseError(f"no routing table: {text.strip()[:TEXT_LIMIT]!r}")
    return _routes(_text_paths(text))


Path = tuple[str, str, bool, str]
"""Prefix, protocol's client, whether it forwards, next hop."""


def _json_paths(found: Row) -> Iterator[Path]:
    for row in rows(found, "vrf", "addrf", "prefix"):
        for path in rows(row, "path"):
            best = str(path.get("ubest", "")).lower() == "true"
            hop, client = str(path.get("ipnexthop", "")), str(path.get("clientname", ""))
            yield str(row.get("ipprefix")), client, best, hop


def _text_paths(text: str) -> Iterator[Path]:
    prefix = ""
    for line in text.splitlines():
        heading = _PREFIX.match(line)
        prefix = heading["prefix"] if heading else prefix
        via = _VIA.match(line)
        if via is not None:
            yield prefix, via["client"], bool(via["best"]), via["hop"]


def _routes(paths: Iterable[Path]) -> tuple[RibRoute, ...]:
    hops: dict[tuple[str, str, bool], set[IPv4Address]] = {}
    for prefix, client, best, hop in paths:
        own = hops.setdefault((prefix, protocol(client), best), set())
        parsed = address(hop)
        if parsed is not None:
            own.add(parsed)
    return tuple(
        RibRoute(parsed_prefix, name, best, frozenset(found))
        for (prefix, name, best), found in hops.items()
        if (parsed_prefix := network(prefix)) is not None
    )
