"""The kinds of values a topology file holds: how each is written, checked and shown to editors.

Every kind says what is wrong in the field's own words, and carries the JSON Schema that an
editor needs to say the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from labctl.model.identity import NAME_PATTERN, is_safe_name
from labctl.model.snapshot import NAME as SNAPSHOT_PATTERN
from labctl.topology.scalars import Scalar, between, show, text, whole
from labctl.topology.sizes import AGE_PATTERN, SIZE_PATTERN, parse_age, parse_size

FIRST_VLAN, LAST_VLAN = 2, 3966
"""VLAN 1 is the switches' own; NX-OS keeps 3967 and above (facts: NX-OS VLAN reservation)."""
LAST_VNI = 2**24 - 2
"""VXLAN's identifier has 24 bits (RFC 7348); all ones is not used."""
LAST_ASN = 2**32 - 2
"""RFC 7300 reserves the last 4-byte AS number."""
LONGEST_TENANT_NAME = 32

_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_DOTTED = rf"{_OCTET}(\.{_OCTET}){{3}}"
_PREFIXED = rf"{_DOTTED}/(3[0-2]|[12]?[0-9])"
_TENANT = r"[A-Za-z][A-Za-z0-9_-]*"
_IMAGE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_HYPERVISOR = r"[A-Za-z][A-Za-z0-9+._:/?&=@%,-]*"
_END = rf"{NAME_PATTERN}:[A-Za-z][A-Za-z0-9/._-]{{0,31}}"


def _name(value: str) -> str:
    if not is_safe_name(value):
        raise ValueError(
            f"{show(value)} is no safe name: up to 32 of a-z, 0-9 and '-', "
            "not starting or ending with '-'"
        )
    return value


def _tenant_name(value: str) -> str:
    if not re.fullmatch(_TENANT, value) or len(value) > LONGEST_TENANT_NAME:
        raise ValueError(
            f"{show(value)} is no safe name: a letter, then letters, digits, '_' or '-', "
            f"{LONGEST_TENANT_NAME} at most"
        )
    return value


def _vlan(value: int) -> int:
    if value == 1:
        raise ValueError("VLAN 1 is the switches' own and can't carry a tenant")
    if LAST_VLAN < value <= 4094:
        raise ValueError(f"VLAN {value} is reserved on NX-OS: use {FIRST_VLAN} to {LAST_VLAN}")
    if not FIRST_VLAN <= value <= LAST_VLAN:
        raise ValueError(f"{value} is no VLAN: use {FIRST_VLAN} to {LAST_VLAN}")
    return value


def _vni(value: int) -> int:
    if not 1 <= value <= LAST_VNI:
        raise ValueError(f"{value} is no VNI: use 1 to {LAST_VNI}")
    return value


def _asn(value: int) -> int:
    if not 1 <= value <= LAST_ASN:
        raise ValueError(f"{value} is no AS number: use 1 to {LAST_ASN}")
    if value in (23456, 65535):
        raise ValueError(f"AS number {value} is reserved (RFC 7607, RFC 7300)")
    return value


def _address(value: object) -> IPv4Address:
    try:
        address = IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{show(value)} is no IPv4 address such as 10.0.0.1") from None
    if address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved:
        raise ValueError(f"{address} can't be a device's address")
    return address


def _cidr(value: object) -> IPv4Network:
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        interface = IPv4Interface(value)
    except ValueError:
        raise ValueError(f"{show(value)} is no IPv4 subnet such as 10.0.0.0/24") from None
    if interface.ip != interface.network.network_address:
        raise ValueError(f"{value} has host bits set: the subnet is {interface.network}")
    return interface.network


def _groups(value: object) -> IPv4Network:
    groups = _cidr(value)
    if not groups.is_multicast:
        raise ValueError(f"{groups} are no multicast groups: use a part of 239.0.0.0/8 (RFC 2365)")
    return groups


def _gateway(value: object) -> IPv4Interface:
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        return IPv4Interface(value)
    except ValueError:
        message = (
            f"{show(value)} is no gateway: an IPv4 address with its prefix length, 10.10.10.1/24"
        )
        raise ValueError(message) from None


def _interface(value: object) -> IPv4Interface:
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        interface = IPv4Interface(value)
    except ValueError:
        raise ValueError(
            f"{show(value)} is no address with its prefix length such as 198.51.100.1/30"
        ) from None
    _address(str(interface.ip))
    return interface


def _end(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(_END, value):
        raise ValueError(f"{show(value)} is no link end: write NODE:INTERFACE, such as leaf-1:eth3")
    return value


def _fitting(pattern: str, example: str, maximum: int = 64) -> Scalar[str]:
    """A text that must match `pattern` as a whole."""

    def check(value: str) -> str:
        if len(value) > maximum or not re.fullmatch(pattern, value):
            raise ValueError(f"{show(value)} won't do here: write something like {example}")
        return value

    return text(check, {**_like(pattern, example), "maxLength": maximum})


def _like(pattern: str, *examples: str) -> Mapping[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$", "examples": list(examples)}


def _range(first: int, last: int) -> Mapping[str, Any]:
    return {"minimum": first, "maximum": last}


NODE_NAME = text(_name, _like(NAME_PATTERN, "leaf-1"))
TENANT_NAME = text(_tenant_name, _like(rf"{_TENANT[:-1]}{{0,31}}", "tenant-a"))
VLAN = whole(_vlan, _range(FIRST_VLAN, LAST_VLAN))
VNI = whole(_vni, _range(1, LAST_VNI))
ASN = whole(_asn, {**_range(1, LAST_ASN), "not": {"enum": [23456, 65535]}})
SIZE = Scalar(parse_size, _like(SIZE_PATTERN, "512 MiB", "12 GiB"))
AGE = Scalar(parse_age, _like(AGE_PATTERN, "7 days", "12 hours"))
ADDRESS = Scalar(_address, _like(_DOTTED, "10.0.0.251"))
CIDR = Scalar(_cidr, _like(_PREFIXED, "10.0.0.0/24"))
GROUPS = Scalar(_groups, _like(_PREFIXED, "239.1.0.0/16"))
GATEWAY = Scalar(_gateway, _like(_PREFIXED, "10.10.10.1/24"))
INTERFACE = Scalar(_interface, _like(_PREFIXED, "198.51.100.1/30"))
PORT_NAME = _fitting(r"[A-Za-z][A-Za-z0-9/._-]{0,31}", "Ethernet1/7")
LINK_END = Scalar(_end, _like(_END, "leaf-1:eth3"))
IMAGE_NAME = _fitting(_IMAGE, "frr-12")
HYPERVISOR_NAME = _fitting(_HYPERVISOR, "qemu+ssh://root@host2/system", 256)
PLATFORM_NAME = _fitting(r"[a-z0-9][a-z0-9-]*", "frr")
SNAPSHOT_NAME = _fitting(SNAPSHOT_PATTERN, "golden-state")
COUNT = between(0, 4096)
