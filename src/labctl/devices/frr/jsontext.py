"""FRR's JSON as it really comes: several documents, empty lines, vtysh's own complaints."""

from __future__ import annotations

import json
import re
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from labctl.devices.facts import DaemonDown, ParseError
from labctl.devices.frr.device import NO_ANSWER

_NOT_RUNNING = re.compile(r"^(\w+) is not running\b|failed to connect to any daemons", re.MULTILINE)
_DECODER = json.JSONDecoder()
TEXT_LIMIT = 200
"""Characters of an output shown in a message."""


def refuse_dead_daemon(text: str) -> None:
    """Raise DaemonDown when vtysh says, or shows, that the daemon asked does not run."""
    if text == NO_ANSWER:
        raise DaemonDown(text.strip())
    match = _NOT_RUNNING.search(text)
    if match is not None:
        raise DaemonDown(f"{match[1]} is not running" if match[1] else "FRR is not running")


def json_object(text: str) -> dict[str, Any]:
    """The object in `text`; several after one another are merged, nothing is `{}`, and the
    members of a list (`show evpn vni detail json`) are keyed by their place.

    `show evpn vni json` prints an empty line on a node without VNIs, and `show bgp l2vpn evpn
    vni N json` prints `{}` twice for an unknown one. Raises ParseError for anything else.
    """
    refuse_dead_daemon(text)
    merged: dict[str, Any] = {}
    rest = text.strip()
    while rest:
        try:
            parsed, end = _DECODER.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"not JSON ({error}): {rest[:TEXT_LIMIT]!r}") from None
        if isinstance(parsed, list):
            parsed = {str(number): member for number, member in enumerate(parsed)}
        if not isinstance(parsed, dict):
            raise ParseError(f"no JSON object: {rest[:TEXT_LIMIT]!r}")
        merged.update(parsed)
        rest = rest[end:].lstrip()
    return merged


def objects(value: object) -> dict[str, dict[str, Any]]:
    """Those members of an object that are objects themselves; none where `value` is no object."""
    members = value if isinstance(value, dict) else {}
    return {key: member for key, member in members.items() if isinstance(member, dict)}


def whole(value: object) -> int | None:
    """`value` as a number, None where it is none ("n/a", missing)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else None


def address(value: object) -> IPv4Address | None:
    """`value` as an IPv4 address, None where it is none."""
    try:
        return IPv4Address(value) if isinstance(value, str) else None
    except AddressValueError:
        return None


def addresses(values: object) -> frozenset[IPv4Address]:
    """The IPv4 addresses in a list of strings or of objects with an `ip`."""
    if not isinstance(values, list):
        return frozenset()
    found = [address(v.get("ip") if isinstance(v, dict) else v) for v in values]
    return frozenset(each for each in found if each is not None)


def strings(value: object) -> frozenset[str]:
    """The strings in a list, or the one string there is."""
    if isinstance(value, str):
        return frozenset({value})
    return (
        frozenset(v for v in value if isinstance(v, str))
        if isinstance(value, list)
        else frozenset()
    )
