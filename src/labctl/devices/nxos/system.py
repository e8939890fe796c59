"""Parsers of what the switch says about itself: memory, image, boot variable, limits, log."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labctl.devices.facts import Memory, ParseError
from labctl.devices.nxos.jsontext import document, first, rows
from labctl.devices.values import TEXT_LIMIT, whole


@dataclass(frozen=True, slots=True)
class Version:
    """`memory` in KiB."""

    memory: int
    release: str
    image: str


_MEMORY = re.compile(r"\bwith (\d+) kB of memory")
_RELEASE = re.compile(r"^\s*(?:NXOS|system):\s+version (\S+)", re.MULTILINE)
_IMAGE = re.compile(r"^\s*(?:NXOS|system) image file is:\s+(\S+)", re.MULTILINE)


def version(text: str) -> Version:
    """`show version`; JSON or text."""
    found = document(text)
    if found is None:
        memory = whole(_one(_MEMORY, text))
        release, image = _one(_RELEASE, text), _one(_IMAGE, text)
    else:
        memory = whole(found.get("memory"))
        release = str(first(found, "nxos_ver_str", "kickstart_ver_str") or "")
        image = str(first(found, "nxos_file_name", "kick_file_name") or "")
    if memory is None:
        raise ParseError("no memory in it")
    return Version(memory, release, image)


def _one(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match is not None else ""


_USAGE = re.compile(r"Memory usage:\s+(\d+)K total,\s+(\d+)K used,\s+(\d+)K free")
_STATUS = re.compile(r"Current memory status:\s*(.+?)\s*$", re.MULTILINE)


def resources(text: str) -> Memory:
    """`show system resources`; JSON or text. `OK` is no alert."""
    found = document(text)
    if found is None:
        usage = _USAGE.search(text)
        total, free = (whole(usage[1]), whole(usage[3])) if usage else (None, None)
        status = _one(_STATUS, text)
    else:
        total, free = whole(found.get("memory_usage_total")), whole(found.get("memory_usage_free"))
        status = str(found.get("current_memory_status", ""))
    if total is None:
        raise ParseError("no memory usage in it")
    return Memory(total, free, "" if status.strip().upper() == "OK" else status.strip())


_VARIABLE = re.compile(r"^\s*(?:NXOS|system) variable = (\S+)", re.MULTILINE)
_NEXT = "Boot Variables on next reload"


def boot(text: str) -> str:
    """`show boot`: the image of the next reload, "" where none is set. Text only."""
    if document(text) is not None or "oot Variables" not in text:
        raise ParseError(f"no boot variables: {text.strip()[:TEXT_LIMIT]!r}")
    _, _, after = text.rpartition(_NEXT)
    return _one(_VARIABLE, after)


_LIMIT = re.compile(r"limit-resource u4route-mem minimum (\d+) maximum (\d+)")
_RESOURCE = re.compile(
    r"^\s*u4route-mem\b.*\n(?:\s*-.*\n|\s*Vdc\b.*\n)*\s*\S+\s+\d+\s+(\d+)", re.MULTILINE
)
"""A heading, a rule, column names, a rule, then Vdc, Min, Max, Used, Unused, Avail."""


def route_memory(text: str) -> int:
    """MiB for IPv4 unicast routes: `show vdc resource detail`, or `show running-config vdc`."""
    document(text)
    limit = _LIMIT.search(text)
    if limit is not None:
        return int(limit[2])
    table = _RESOURCE.search(text)
    if table is None:
        raise ParseError("no u4route-mem in it")
    return int(table[1])


_COMPLAINT = re.compile(
    r"memory status alert\s*:\s*(?:minor|severe|critical)(?!.*recover)"
    r"|\bout of memory\b|\boom[-_ ]?kill|\blow[- ]memory\b|memory limit .* detected"
    r"|limiting routing table|memory threshold .*exceed",
    re.IGNORECASE,
)
_MOST = 3


def complaints(text: str) -> tuple[str, ...]:
    """`show logging last N`, `show logging logfile`: the lines that speak of too little memory."""
    if not text.strip():
        raise ParseError("empty")
    document(text)
    found = [line.strip()[:TEXT_LIMIT] for line in text.splitlines() if _COMPLAINT.search(line)]
    return tuple(found[-_MOST:])


_REGION = re.compile(r"\[arp-ether\]\s+size\s*=\s*(\d+)")


def arp_tcam(text: str) -> int:
    """`show hardware access-list tcam region`: entries carved for ARP suppression."""
    found = document(text)
    if found is not None:
        sizes = rows(found.get("TCAM_Region", found), "Sizes")
        said = [row for row in sizes if "ARP-Ether" in str(row.get("type", ""))]
        size = whole(said[0].get("tcam_size")) if said else None
    else:
        size = whole(_one(_REGION, text))
    if size is None:
        raise ParseError("no region arp-ether in it")
    return size


def arp_suppression(text: str) -> bool:
    """`show running-config nv overlay`: whether any VNI is to suppress ARP."""
    document(text)
    if "nve" not in text and "nv overlay" not in text:
        raise ParseError("no configuration of the overlay")
    return re.search(r"^\s*(?:global )?suppress-arp\b", text, re.MULTILINE) is not None
