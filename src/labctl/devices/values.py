"""Members of parsed JSON as what they stand for; None or nothing where they are something else."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

TEXT_LIMIT = 200
"""Characters of an output shown in a message."""


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


def network(value: object) -> IPv4Network | None:
    """`value` as an IPv4 network, host bits dropped; None where it is none."""
    try:
        return IPv4Network(value, strict=False) if isinstance(value, str) else None
    except (AddressValueError, NetmaskValueError, ValueError):
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
