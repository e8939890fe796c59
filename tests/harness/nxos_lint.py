"""A linter of NX-OS configurations: lines, the lines they stand under, values, and their order.

Which lines there are is data (tests/fixtures/nxos-grammar.yaml). Order is here: what a line needs
must be there before it, as NX-OS refuses a line whose feature, VRF, VLAN or port channel it does
not know yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import yaml

GRAMMAR = Path(__file__).parent.parent / "fixtures" / "nxos-grammar.yaml"
LAST_VLAN = 3967
FEATURES = (
    "bgp", "fabric forwarding", "interface-vlan", "lacp", "lldp", "nv overlay", "nxapi", "ospf",
    "pim", "vn-segment-vlan-based", "vpc",
)  # fmt: skip
_IP = r"\d+\.\d+\.\d+\.\d+"
SHAPES = {
    "asn": r"\d+", "decimal": r"\d+\.\d+", "feature": "|".join(FEATURES), "file": r"[\w.-]+",
    "group": _IP, "host": rf"{_IP}/\d+", "ip": _IP, "mac": r"[\da-f]{4}\.[\da-f]{4}\.[\da-f]{4}",
    "mtu": r"\d+", "name": r"[A-Za-z][\w-]*", "number": r"\d+", "port": r"\d+/\d+",
    "prefix": rf"{_IP}/\d+", "quoted": r"'[^']*'", "rt": r"\d+:\d+", "secret": r"\S+",
    "text": r"\S.*", "vlan": r"\d+", "vlans": r"[\d,-]+", "vni": r"\d+",
}  # fmt: skip
NEEDS = {
    r"router ospf (?P<it>.*)": r"feature ospf",
    r"(?:router bgp|evpn).*": r"feature bgp",
    r"ip pim .*": r"feature pim",
    r"interface (?:Vlan\d+)": r"feature interface-vlan",
    r"vn-segment .*": r"feature vn-segment-vlan-based",
    r"interface nve1": r"feature nv overlay",
    r"vpc domain .*": r"feature vpc",
    r"vpc peer-link|vpc \d+": r"vpc domain \d+",
    r"channel-group (?P<it>\d+) .*": r"interface port-channel{it}",
    r"(?:ip address|ip unnumbered) .*": r"interface .*",
    r"ip unnumbered (?P<it>\S+)": r"interface {it}",
    r"source-interface (?P<it>loopback\d+)": r"interface {it}",
    r"update-source (?P<it>\S+)": r"interface {it}",
    r"vrf member (?P<it>\S+)": r"vrf context {it}",
    r"interface Vlan(?P<it>\d+)": r"vlan {it}",
    r"interface (?P<it>Ethernet\S+)\.\d+": r"interface {it}",
    r"member vni (?P<it>\d+)": r"vn-segment {it}",
    r"member vni (?P<it>\d+) associate-vrf": r"vni {it}",
    r"vni (?P<it>\d+) l2": r"member vni {it}",
    r"inherit peer (?P<it>\S+)": r"template peer {it}",
    r"(?:.* )?route-map (?P<it>\S+)(?: in| out)?": r"route-map {it} (?:permit|deny) \d+",
    r"match ip address prefix-list (?P<it>\S+)": r"ip prefix-list {it} .*",
    r"action 1.0 cli python bootflash:(?P<it>\S+)": r"echo .* > {it}",
    r"layer3 peer-router": r"peer-gateway",
}
"""What a line needs before it: both are whole lines without indentation."""
SECTION_NEEDS = {
    ("ethernet", r"ip (?:address|unnumbered) .*"): r"no switchport",
    ("ethernet", r"channel-group .*"): r"switchport",
    ("ethernet", r"ip unnumbered .*"): r"medium p2p",
    ("ethernet", r"switchport .*"): r"switchport",
    ("port-channel", r"switchport .*"): r"switchport",
    ("management", r"ip address .*"): r"vrf member .*",
    ("subinterface", r"ip address .*"): r"vrf member .*",
    ("svi", r"fabric forwarding .*"): r"ip address .* tag \d+",
    ("svi", r"ip (?:address .* tag \d+|forward)"): r"vrf member .*",
    ("nve", r"member vni .*"): r"source-interface loopback\d+",
}
"""What a line needs before it in its own section, by context."""


@dataclass(frozen=True)
class Line:
    """A line that may stand in a context; `opens` names the context below it, "" for none."""

    pattern: re.Pattern[str]
    opens: str
    since: str


@dataclass
class Reading:
    """What has been read so far: open contexts, all lines, the lines of each open section."""

    contexts: list[str] = field(default_factory=lambda: ["top"])
    seen: list[str] = field(default_factory=list)
    sections: list[list[str]] = field(default_factory=lambda: [[]])


@cache
def grammar() -> dict[str, list[Line]]:
    """Context -> its lines."""
    found: dict[str, list[Line]] = {}
    for group in yaml.safe_load(GRAMMAR.read_text()):
        assert group["source"]
        for text in group["lines"]:
            line, _, opens = text.partition(" => ")
            pattern = re.compile(_pattern(line))
            found.setdefault(group["in"], []).append(Line(pattern, opens, group.get("since", "")))
    return found


def lint(text: str, syntax: str = "9.3") -> list[str]:
    """What is wrong with a configuration for devices of that syntax, line by line."""
    reading = Reading()
    return [
        f"{number}: {line.strip()}: {fault}"
        for number, line in enumerate(text.splitlines(), start=1)
        for fault in _faults(line, reading, syntax)
    ]


def _pattern(line: str) -> str:
    pieces = re.split(r"<(\w+)>", line)
    parts = [re.escape(piece) for piece in pieces]
    for at in range(1, len(pieces), 2):
        parts[at] = f"(?P<{pieces[at]}_{at}>{SHAPES[pieces[at]]})"
    return "".join(parts)


def _faults(line: str, reading: Reading, syntax: str) -> Iterator[str]:
    command = line.strip()
    depth, odd = divmod(len(line) - len(line.lstrip(" ")), 2)
    if odd or depth >= len(reading.contexts):
        yield "is indented under a line that opens nothing"
        return
    del reading.contexts[depth + 1 :], reading.sections[depth + 1 :]
    context, section = reading.contexts[depth], reading.sections[depth]
    known = [entry for entry in grammar().get(context, ()) if entry.pattern.fullmatch(command)]
    usable = [entry for entry in known if not (entry.since and syntax == "i7")]
    if not usable:
        yield f"is no line of {context}" if not known else f"is unknown to {syntax}"
    for entry in usable[:1]:
        yield from _value_faults(entry, command)
        if entry.opens:
            reading.contexts.append(entry.opens)
            reading.sections.append([])
    yield from _order_faults(context, command, section, reading.seen)
    section.append(command)
    reading.seen.append(command)


def _order_faults(context: str, command: str, section: list[str], seen: list[str]) -> Iterator[str]:
    for pattern, needed in NEEDS.items():
        if found := re.fullmatch(pattern, command):
            it = re.escape(found.groupdict().get("it", ""))
            if not any(re.fullmatch(needed.format(it=it), before) for before in seen):
                yield f"needs {needed.format(it=it)!r} before it"
    for (where, pattern), needed in SECTION_NEEDS.items():
        asked = where == context and re.fullmatch(pattern, command)
        if asked and not any(re.fullmatch(needed, before) for before in section):
            yield f"needs {needed!r} before it, under the same line"


def _value_faults(entry: Line, command: str) -> Iterator[str]:
    found = entry.pattern.fullmatch(command)
    assert found is not None
    for name, value in found.groupdict().items():
        if not _is_sound(name.rpartition("_")[0], value):
            yield f"{value!r} is no {name.rpartition('_')[0]}"


def _is_sound(shape: str, value: str) -> bool:
    try:
        return VALUES[shape](value) if shape in VALUES else True
    except ValueError:
        return False


def _is_target(value: str) -> bool:
    """Two bytes beside an AS number of four, else four (RFC 4360, RFC 5668)."""
    asn, _, number = value.partition(":")
    return int(number) < 2 ** (32 if int(asn) < 2**16 else 16)


def _is_vlan_list(value: str) -> bool:
    """Numbers and ranges, each above what stands before it."""
    numbers = [int(number) for number in re.split(r"[,-]", value)]
    return numbers == sorted(set(numbers)) and numbers[0] >= 1 and numbers[-1] <= LAST_VLAN


VALUES: dict[str, Callable[[str], bool]] = {
    "ip": lambda value: bool(IPv4Address(value)),
    "group": lambda value: IPv4Address(value).is_multicast,
    "host": lambda value: IPv4Interface(value).network.prefixlen > 0,
    "prefix": lambda value: bool(IPv4Network(value)),
    "vlan": lambda value: 1 <= int(value) <= LAST_VLAN,
    "vlans": _is_vlan_list,
    "vni": lambda value: 1 <= int(value) < 2**24,
    "asn": lambda value: 1 <= int(value) < 2**32,
    "mtu": lambda value: 576 <= int(value) <= 9216,
    "rt": _is_target,
    "name": lambda value: 2 <= len(value) <= 63,
}
