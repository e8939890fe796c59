"""Parsers of Linux commands: /proc/meminfo, ping, `ip -json`."""

from __future__ import annotations

import json
import re
from typing import Any

from labctl.devices.facts import Memory, ParseError, PingResult, VxlanDevice

_MEMINFO = re.compile(r"^(MemTotal|MemAvailable):\s+(\d+) kB", re.MULTILINE)
_PING = re.compile(r"(\d+) packets transmitted, (\d+) (?:packets )?received")
_FPING = re.compile(r"^\S+ is (alive|unreachable)$", re.MULTILINE)
_REFUSED = re.compile(r"Network is unreachable|No route to host|Cannot assign|unknown iface")


def meminfo(text: str) -> Memory:
    """`cat /proc/meminfo`."""
    values = {match[1]: int(match[2]) for match in _MEMINFO.finditer(text)}
    if "MemTotal" not in values:
        raise ParseError("no MemTotal line")
    return Memory(values["MemTotal"], values.get("MemAvailable"))


def ping(text: str) -> PingResult:
    """The summary line of iputils' or busybox's ping, or what fping says of one target.

    A ping refused by the kernel sent none.
    """
    match = _PING.search(text)
    if match is not None:
        return PingResult(int(match[1]), int(match[2]))
    fping = _FPING.search(text)
    if fping is not None and fping[1] == "alive":
        return PingResult(None, 1)
    if _REFUSED.search(text):
        return PingResult(0, 0)
    if fping is not None:
        return PingResult(None, 0)
    raise ParseError("no summary line of a ping")


def vxlan_devices(text: str) -> dict[int, VxlanDevice]:
    """`ip -json -details link show type vxlan`, by VNI."""
    devices = {}
    for link in _json_list(text):
        vni = _member(_member(_member(link, "linkinfo"), "info_data"), "id")
        if isinstance(vni, int):
            flags = _member(link, "flags")
            up = isinstance(flags, list) and "UP" in flags
            devices[vni] = VxlanDevice(vni, str(_member(link, "ifname") or ""), up)
    return devices


def _member(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _json_list(text: str) -> list[Any]:
    if not text.strip():
        return []
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ParseError(f"not JSON: {error}") from None
    if not isinstance(parsed, list):
        raise ParseError("no JSON list")
    return parsed
