"""labctl's Nexus configurations are equal in substance to the reference configurations.

Each reference is met by a topology made to match it. Compared are lines with all the lines they
stand under, in any order; peer templates count as written out at each neighbour; descriptions do
not count. `RENAMED` maps what the reference calls things to what labctl does. What differs else is
listed with its reason, and nothing on the lists may be without effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.nexus_labs import config, intent_of

REFERENCE = Path(__file__).parent.parent / "fixtures" / "nxos-reference"
LAB = """\
lab: reference
platform: nxosv9k
image: {image}
management: {{subnet: 192.0.2.0/24}}
fabric:
  spines: 2
  leaves: 2
  borders: {borders}
  hosts_per_leaf: {hosts}
  vpc: {vpc}
  underlay: {underlay}
  overlay: {{replication: {replication}}}
  vrfs:
    - name: TENANT-A
      vni: 50001
      networks:
        - {{name: web, vlan: 10, vni: 10010, gateway: 10.1.10.1/24}}
        - {{name: app, vlan: 20, vni: 10020, gateway: 10.1.20.1/24}}
{more}
"""
I7, NEW = "nxosv9k-7.0.3.I7.4", "nexus9300v.9.3.13"
OSPF, EBGP = "{routing: ospf}", "{routing: ebgp, links: numbered}"
EXTERNAL = """\
      external: [{node: border-1, interface: Ethernet1/7, vlan: 100,
                  address: 198.51.100.1/30, neighbor: 198.51.100.2, asn: 64999}]"""
DUAL = """\
nodes: {h1: {role: host}}
links: [[h1:eth1, leaf-1:Ethernet1/6], [h1:eth2, leaf-2:Ethernet1/6]]"""

SHUT = "ports nothing is said of stay down, so port channels say `no shutdown`"
RT = "explicit route targets: the intent's; under eBGP `auto` would take each leaf's own AS"
ONE_KIND = "replication is one for the whole lab"
TCAM = "ARP suppression needs TCAM regions carved and a reload, which old 9000v can't (facts 4.1)"
SECRET = "the site's own password, put in when the day-0 medium is written"
MTU = "the port's MTU is 1500, and so is its subinterface's"
INFRA = "a 9000v refuses it: a public playbook for both has it commented out on the virtual one"


@dataclass
class Case:
    """A reference, the topology that matches it, and how they may differ.

    `extra` are patterns, or None where the reference is a part only, so that anything may be added.
    """

    node: str
    topology: str
    renamed: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] | None = None


def lab(
    image: str = NEW, *, borders: int = 0, hosts: int = 0, vpc: str = "false",
    underlay: str = OSPF, replication: str = "ingress", more: str = "",
) -> str:  # fmt: skip
    """The topology's text."""
    return LAB.format(
        image=image, borders=borders, hosts=hosts, vpc=vpc, underlay=underlay,
        replication=replication, more=more,
    )  # fmt: skip


BASE = {
    r"(no password|username|no ip domain|system no poap|boot nxos|echo|event manager|feature nxapi"
    r"|line |interface mgmt0|vrf context management).*": "the day-0 part, see day0-leaf1",
    r"system default switchport shutdown": SHUT,
}
CASES = {
    "day0-leaf1": Case(
        "leaf-1",
        lab(I7),
        {"hostname leaf1": "hostname leaf-1", "192.0.2.11/24": "192.0.2.3/24"},
        {"username admin password 0 Lab-pass-1 role network-admin": SECRET},
    ),
    "spine1-ibgp": Case(
        "spine-1",
        lab(I7, replication="multicast"),
        {"hostname spine1": "hostname spine-1"},
        extra=BASE,
    ),
    "leaf1-ibgp-i7": Case(
        "leaf-1",
        lab(I7, hosts=2, replication="multicast", more="nodes: {host-1: {networks: [web]}}"),
        {"hostname leaf1": "hostname leaf-1", "name l3vni-tenant-a": "name l3vni-50001"},
        {
            "interface nve1 / member vni 10020 / ingress-replication protocol bgp": ONE_KIND,
            "vrf context TENANT-A / address-family ipv4 unicast / route-target both auto": RT,
            "vrf context TENANT-A / address-family ipv4 unicast / route-target both auto evpn": RT,
            **{
                f"evpn / vni {vni} l2 / route-target {way} auto": RT
                for vni in (10010, 10020)
                for way in ("import", "export")
            },
        },
        {
            **BASE,
            r"interface nve1 / member vni 10020 / mcast-group 239.1.0.20": ONE_KIND,
            r".* / route-target (import|export) 65000:\d+( evpn)?": RT,
            r"interface Ethernet1/4 / switchport trunk native vlan 10": "the first is untagged",
        },
    ),
    "leaf1-93-delta-vpc": Case(
        "leaf-1",
        lab(vpc="true", more=DUAL),
        {
            "vpc domain 100": "vpc domain 1",
            "192.0.2.12 source 192.0.2.11": "192.0.2.7 source 192.0.2.3",
            "3999": "3950",
            "10.0.1.100/32": "10.0.2.11/32",
            "10.0.99.1/30": "10.9.248.1/30",
            "Ethernet1/5": "Ethernet1/3",
            "port-channel11": "port-channel106",
            "channel-group 11": "channel-group 106",
            "vpc 11": "vpc 106",
            "name vpc-backup-svi": "name vpc-backup",
        },
        {
            "hardware access-list tcam region racl 512": TCAM,
            "hardware access-list tcam region arp-ether 256 double-wide": TCAM,
            "interface nve1 / global suppress-arp": TCAM,
            "interface nve1 / member vni 10020 / suppress-arp": TCAM,
            "system nve infra-vlans 3950": INFRA,
            "interface Vlan3950 / ip pim sparse-mode": ONE_KIND,
        },
    ),
    "border1-delta": Case(
        "border-1",
        lab(borders=1, more=EXTERNAL),
        {},
        {"interface Ethernet1/7.100 / mtu 1500": MTU},
    ),
    "spine1-ebgp": Case(
        "spine-1",
        lab(underlay=EBGP),
        {"10.9.1.": "10.9.0.", "maximum-paths 4": "maximum-paths 2"},
    ),
    "leaf1-ebgp": Case(
        "leaf-1",
        lab(underlay=EBGP),
        {"10.9.1.": "10.9.0.", "maximum-paths 4": "maximum-paths 2"},
    ),
}


def lines(text: str) -> set[str]:
    """Every line with those it stands under; peer templates put in where they are inherited."""
    found: list[str] = []
    above: list[str] = []
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[:depth], line.strip()]
        found.append(" / ".join(above))
    template = r"(?P<bgp>.*) / template peer (?P<name>\S+)(?P<rest> / .*)?"
    inherited: dict[str, list[str]] = {}
    for path in found:
        if match := re.fullmatch(template, path):
            inherited.setdefault(match["name"], []).append(match["rest"] or "")
    return set(_without_templates(found, inherited, template))


def _without_templates(
    found: Iterable[str], inherited: Mapping[str, list[str]], template: str
) -> Iterable[str]:
    for path in found:
        head, _, last = path.rpartition(" / ")
        if last.startswith("inherit peer "):
            yield from (f"{head}{rest}" for rest in inherited[last.split()[-1]])
        elif not re.fullmatch(template, path) and not last.startswith("description "):
            yield path


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The reference in labctl's names; none is without effect."""
    for old, new in names.items():
        assert old in text, f"nothing is called {old!r}"
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("name", CASES)
def test_equal_in_substance(name: str) -> None:
    case = CASES[name]
    wanted = lines(renamed((REFERENCE / f"{name}.cfg").read_text(), case.renamed))
    rendered = lines(config(intent_of(case.topology), case.node))
    assert sorted(wanted - rendered) == sorted(case.missing)
    if case.extra is not None:
        patterns = list(case.extra)
        unexplained = {
            line
            for line in rendered - wanted
            if not any(re.fullmatch(pattern, line) for pattern in patterns)
        }
        assert unexplained == set()
        for pattern in patterns[1:]:
            assert any(re.fullmatch(pattern, line) for line in rendered - wanted), pattern


def test_every_reference_is_met() -> None:
    assert {path.stem for path in REFERENCE.glob("*.cfg")} == set(CASES)
