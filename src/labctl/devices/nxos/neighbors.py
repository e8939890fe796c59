"""Parsers of BGP summaries and OSPF neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from labctl.devices.facts import (
    ADMIN_DOWN,
    ESTABLISHED,
    PREFIX_LIMIT,
    Adjacency,
    ParseError,
    Peer,
)
from labctl.devices.nxos.jsontext import document, rows
from labctl.devices.nxos.names import interface
from labctl.devices.values import TEXT_LIMIT, address, whole

# 10.0.0.1        4 65000      45      43       32    0    0 00:34:09 6
# The AS number of four bytes has the rest of its row on the next line.
_ROW = re.compile(
    r"^(?P<key>[0-9A-Fa-f.:%/a-z]\S*)\s+4\s+(?P<asn>\d+(?:\.\d+)?)(?:\s+\d+){5}\s+\S+\s+"
    r"(?P<state>\d+|[A-Z][A-Za-z]+(?: ?\([A-Za-z]+\))?)\s*$"
)
# 10.0.0.1          1 FULL/ -          00:34:16 10.1.2.1        Eth1/1
_NEIGHBOR = re.compile(
    r"^\s*(?P<router>\d+(?:\.\d+){3})\s+\d+\s+(?P<state>[A-Z0-9]+)/\s*(?P<role>\S+)\s+\S+\s+"
    r"\d+(?:\.\d+){3}\s+(?P<interface>\S+)"
)
_HEADING = re.compile(r"^Neighbor\s+V\s+AS\b", re.MULTILINE)
_SHUT = re.compile(r"\(Admin\)", re.IGNORECASE)
_LIMIT = re.compile(r"\(PfxCt\)", re.IGNORECASE)


def summary(text: str) -> dict[str, Peer]:
    """`show bgp l2vpn evpn summary`, `show bgp ipv4 unicast summary`; JSON or text.

    NX-OS does not say how many prefixes it sent.
    """
    found = document(text)
    if found is not None:
        table = ("vrf", "af", "saf", "neighbor")
        peers = [_json_peer(row) for row in rows(found, *table)]
        if not peers and "TABLE_vrf" not in found:
            raise ParseError("JSON without BGP neighbors")
    elif _HEADING.search(text):
        peers = list(_text_peers(text))
    else:
        raise ParseError(f"no table of neighbors: {text.strip()[:TEXT_LIMIT]!r}")
    return {peer.key: peer for peer in peers}


def _json_peer(row: dict[str, Any]) -> Peer:
    state = str(row.get("state", ""))
    count = whole(row.get("prefixreceived"))
    key, asn = str(row.get("neighborid", "")), _asn(str(row.get("neighboras", "")))
    return _peer(key, asn, str(count) if state == ESTABLISHED and count is not None else state)


def _text_peers(text: str) -> Iterator[Peer]:
    for line in _joined(text.splitlines()):
        row = _ROW.match(line)
        if row is not None:
            yield _peer(row["key"], _asn(row["asn"]), row["state"])


def _joined(lines: list[str]) -> Iterator[str]:
    """Lines of the table, each with the one that continues it."""
    held = ""
    for line in lines:
        if held and line.startswith(" "):
            yield held + line
            held = ""
            continue
        if held:
            yield held
        held = line
    yield held


def _peer(key: str, asn: int | None, state: str) -> Peer:
    """`state` is the last column: a number where the session is up."""
    key = interface(key.rpartition("%")[2])
    if state.isdecimal():
        return Peer(key, asn, ESTABLISHED, int(state))
    if _SHUT.search(state):
        state = ADMIN_DOWN
    elif _LIMIT.search(state):
        state = PREFIX_LIMIT
    return Peer(key, asn, state)


def _asn(text: str) -> int | None:
    """65000, or 1.10 in two halves."""
    high, dot, low = text.partition(".")
    if dot and high.isdecimal() and low.isdecimal():
        return (int(high) << 16) + int(low)
    return whole(text)


def ospf_neighbors(text: str) -> tuple[Adjacency, ...]:
    """`show ip ospf neighbors [vrf all]`; JSON or text. No output is no neighbour."""
    found = document(text)
    if found is not None:
        each = (_json_adjacency(row) for row in rows(found, "ctx", "nbr"))
        return tuple(adjacency for adjacency in each if adjacency is not None)
    if text.strip() and "OSPF Process" not in text and "Neighbor ID" not in text:
        raise ParseError(f"no table of neighbours: {text.strip()[:TEXT_LIMIT]!r}")
    matches = (_NEIGHBOR.match(line) for line in text.splitlines())
    return tuple(
        _adjacency(match["router"], match["state"], match["role"], match["interface"])
        for match in matches
        if match is not None
    )


def _json_adjacency(row: dict[str, Any]) -> Adjacency | None:
    router, name = row.get("rid"), str(row.get("intf", ""))
    if address(router) is None:
        return None
    return _adjacency(str(router), str(row.get("state", "")), str(row.get("drstate", "")), name)


def _adjacency(router: str, state: str, role: str, name: str) -> Adjacency:
    """States as everybody else writes them: `FULL` and `-` are Full/-."""
    router_id = address(router)
    assert router_id is not None  # the pattern takes digits and dots; looked at before in JSON
    return Adjacency(router_id, interface(name), f"{state.capitalize()}/{role.strip() or '-'}")
