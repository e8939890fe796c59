"""Parsers of BGP summaries and OSPF neighbours."""

from __future__ import annotations

import re
from typing import Any

from labctl.devices.facts import ADMIN_DOWN, ESTABLISHED, Adjacency, ParseError, Peer
from labctl.devices.frr.jsontext import json_object, refuse_dead_daemon
from labctl.devices.values import TEXT_LIMIT, address, objects, whole

_ROW = re.compile(
    r"^(?P<neighbor>\S+)\s+4\s+(?P<asn>\d+)(?:\s+\d+){5}\s+(?P<uptime>\S+)\s+"
    r"(?P<state>\d+|[A-Z][A-Za-z]+(?: \([A-Za-z]+\))?|\(Policy\))(?:\s+(?P<sent>\d+|N/A))?"
)
_NO_PEERS = re.compile(
    r"No BGP neighbors found|BGP instance not found|No .* neighbor is configured"
)
_FAMILIES = {"evpn": ("l2VpnEvpn", "L2VPN EVPN"), "ipv4": ("ipv4Unicast", "IPv4 Unicast")}


def evpn_summary(text: str) -> dict[str, Peer]:
    """`show bgp l2vpn evpn summary [json]`, or the EVPN part of `show bgp summary json`.

    `{}` is what a router with no neighbor in the address family prints: no peers.
    """
    return _summary(text, "evpn")


def ipv4_summary(text: str) -> dict[str, Peer]:
    """`show bgp ipv4 unicast summary [json]`, or the IPv4 part of `show bgp summary json`."""
    return _summary(text, "ipv4")


def ospf_neighbors(text: str) -> tuple[Adjacency, ...]:
    """`show ip ospf neighbor json`; a neighbour on several interfaces appears as often."""
    if not text.strip():
        raise ParseError("empty")
    found = []
    neighbors = json_object(text).get("neighbors")
    for router, entries in neighbors.items() if isinstance(neighbors, dict) else ():
        router_id = address(router)
        for entry in entries if isinstance(entries, list) else [entries]:
            if router_id is not None and isinstance(entry, dict):
                state = entry.get("nbrState") or entry.get("state") or ""
                interface = str(entry.get("ifaceName", "")).partition(":")[0]
                found.append(Adjacency(router_id, interface, str(state)))
    return tuple(found)


def _summary(text: str, family: str) -> dict[str, Peer]:
    refuse_dead_daemon(text)
    stripped = text.strip()
    if not stripped:
        raise ParseError("empty")
    if stripped.startswith("{"):
        return _json_summary(json_object(stripped), family)
    return _text_summary(stripped, family)


def _json_summary(document: dict[str, Any], family: str) -> dict[str, Peer]:
    key = _FAMILIES[family][0]
    if isinstance(document.get(key), dict):
        document = document[key]
    elif document and "peers" not in document:
        if not any(name in document for name, _ in _FAMILIES.values()):
            raise ParseError("JSON without peers")
        return {}
    peers = objects(document.get("peers"))
    return {name: _json_peer(name, peer) for name, peer in peers.items()}


def _json_peer(name: str, peer: dict[str, Any]) -> Peer:
    state = str(peer.get("state", ""))
    if peer.get("peerState") == "Admin" or "(Admin)" in state:
        state = ADMIN_DOWN
    received = whole(peer.get("pfxRcd", peer.get("prefixReceivedCount")))
    return Peer(name, whole(peer.get("remoteAs")), state, received, whole(peer.get("pfxSnt")))


def _text_summary(text: str, family: str) -> dict[str, Peer]:
    body = _family_section(text, family)
    if _NO_PEERS.search(text) and "Neighbor " not in text:
        return {}
    if "Neighbor " not in text:
        raise ParseError(f"no table of neighbors: {text[:TEXT_LIMIT]!r}")
    peers = {}
    for line in _joined_rows(body):
        match = _ROW.match(line)
        if match is not None:
            peer = _text_peer(match)
            peers[peer.key] = peer
    return peers


def _family_section(text: str, family: str) -> str:
    """The part of `show bgp summary` that is about `family`; all of it where there are no parts."""
    parts = re.split(r"^(.+?) Summary\b.*$", text, flags=re.MULTILINE)
    titles = dict(zip(parts[1::2], parts[2::2], strict=True))
    if not titles:
        return text
    return titles.get(_FAMILIES[family][1], "")


def _joined_rows(text: str) -> list[str]:
    """Lines of the table; a neighbor name too long for its column has a line of its own."""
    rows: list[str] = []
    for line in text.splitlines():
        if rows and line.startswith(" ") and len(rows[-1].split()) == 1:
            rows[-1] += line
        else:
            rows.append(line.rstrip())
    return rows


def _text_peer(match: re.Match[str]) -> Peer:
    """The neighbor column is `ADDRESS`, `NAME(ADDRESS)` or `(none)(ADDRESS)`."""
    neighbor, state = match["neighbor"], match["state"]
    inside = re.search(r"\(([^()]+)\)$", neighbor)
    key = inside[1] if inside else neighbor
    sent = whole(match["sent"])
    if state.isdecimal():
        return Peer(key, int(match["asn"]), ESTABLISHED, int(state), sent)
    return Peer(key, int(match["asn"]), state, None, sent)
