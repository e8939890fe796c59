"""What a topology file says of a Nexus fabric: vPC, multicast, routers outside; and its faults."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from labctl.errors import Problem, TopologyError
from labctl.model.lab import External, Lab
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()
GOOD = """\
lab: sample
platform: nxosv9k
image: nexus9300v.9.3.13
fabric:
  spines: 2
  leaves: 4
  borders: 1
  hosts_per_leaf: 1
  vpc: true
  underlay: {routing: ospf, links: numbered}
  overlay: {asn: 65000, replication: multicast, rp: 10.254.0.1, groups: 239.5.0.0/20}
  addressing: {shared_vteps: 10.0.3.0/24, links: 10.9.0.0/16}
  vrfs:
    - name: red
      vni: 50001
      networks:
        - {name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}
        - {name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24, on: [leaf-1, leaf-2]}
      external:
        - {node: border-1, interface: Ethernet1/7, vlan: 100, address: 198.51.100.1/30,
           neighbor: 198.51.100.2, asn: 64999}
    - name: blue
      vni: 50002
nodes:
  extra-9: {role: host}
links:
  - [leaf-1:Ethernet1/47, leaf-2:Ethernet1/47]
  - [extra-9:eth1, leaf-3:Ethernet1/8]
  - [extra-9:eth2, leaf-4:Ethernet1/9]
"""


def parsed(text: str) -> Lab:
    return load(text, source="f.yaml", platforms=PLATFORMS)


def faults(text: str) -> tuple[Problem, ...]:
    with pytest.raises(TopologyError) as caught:
        parsed(text)
    return caught.value.problems


def place(text: str, marker: str) -> tuple[int, int]:
    before = text[: text.index(marker)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_what_the_file_says() -> None:
    fabric = parsed(GOOD).fabric
    assert (fabric.rp, fabric.groups) == (IPv4Address("10.254.0.1"), IPv4Network("239.5.0.0/20"))
    assert fabric.vpc
    assert fabric.addressing.shared_vteps == IPv4Network("10.0.3.0/24")
    assert fabric.vrfs[0].external == (
        External(
            "border-1", "Ethernet1/7", 100, IPv4Interface("198.51.100.1/30"),
            IPv4Address("198.51.100.2"), 64999,
        ),
    )  # fmt: skip


def test_peer_links_come_after_the_spines_and_before_the_hosts() -> None:
    links = [str(link) for link in parsed(GOOD).links]
    assert "leaf-1:Ethernet1/3 -- leaf-2:Ethernet1/3" in links
    assert "leaf-3:Ethernet1/4 -- leaf-4:Ethernet1/4" in links
    assert "host-4:eth1 -- leaf-4:Ethernet1/5" in links


def test_the_last_of_an_odd_number_of_leaves_has_no_peer_link() -> None:
    lab = parsed(GOOD.replace("leaves: 4", "leaves: 3").replace("  - [extra-9:eth2", "  # "))
    assert not any("leaf-3:Ethernet1/3" in str(link) for link in lab.links)
    assert "host-3:eth1 -- leaf-3:Ethernet1/5" in [str(link) for link in lab.links]


def test_written_out_leaves_pair_by_their_numbers() -> None:
    text = """\
lab: x
platform: nxosv9k
fabric: {spines: 1, vpc: true}
nodes: {left-1: {role: leaf}, right-2: {role: leaf}}
links:
  - [spine-1:Ethernet1/1, left-1:Ethernet1/1]
  - [spine-1:Ethernet1/2, right-2:Ethernet1/1]
"""
    [problem] = faults(text)
    assert problem.message == "left-1 and right-2 are a vPC pair without a link between them"
    parsed(text + "  - [left-1:Ethernet1/9, right-2:Ethernet1/9]\n")


OUT = "node: border-1, interface: Ethernet1/7, vlan: 100, address: 198.51.100.1/30"
OUT += ", neighbor: 198.51.100.2, asn: 1"
CASES = [
    ("platform: nxosv9k", "platform: frr", "multicast, rp", "frr can't replicate by multicast"),
    ("replication: multicast", "replication: ingress", "rp: 10", "rp is for multicast, and repli"),
    ("239.5.0.0/20", "10.5.0.0/20", "10.5.0.0/20", "are no multicast groups: use a part of 239"),
    ("239.5.0.0/20", "239.5.0.0/28", "239.5.0.0/28", "there is none for VLAN 20 (a /27 would do)"),
    ("rp: 10.254.0.1", "rp: 239.0.0.1", "239.0.0.1", "can't be a device's address"),
    ("rp: 10.254.0.1", "rp: 10.0.0.77", "10.0.0.77", "rp 10.0.0.77 lies in the loopbacks pool"),
    ("vlan: 20", "vlan: 3899", "3899", "VLAN 3899 is the one of VRF blue's L3 VNI on a Nexus"),
    ("vlan: 20", "vlan: 3950", "3950", "between the leaves of a vPC pair on a Nexus"),
    ("name: red", "name: Management", "Management", "is one that every Nexus has"),
    ("name: db", "name: L3VNI-7", "L3VNI-7", "is what labctl calls a VLAN of its own"),
    ("extra-9: {role: host}", "extra-9: {role: host}\n  b: {role: border}", "b: {role",
     "NX-OS refuses a host name of one character, 'b'"),
    # vPC
    ("on: [leaf-1, leaf-2]", "on: [leaf-1]", "leaf-1]",
     "leaf-1 and leaf-2 are a vPC pair: db must be on both (add leaf-2)"),
    ("extra-9: {role", "leaf-2: {platform: frr}\n  extra-9: {role", "true\n  und",
     "leaf-2 can't be half of a vPC pair: it is no Nexus"),
    ("10.0.3.0/24", "10.0.3.0/30", "10.0.3.0/30", "has no place for pair 2"),
    ("10.0.3.0/24", "10.0.1.128/25", "10.0.1.128/25", "pool shared_vteps overlaps pool vteps"),
    ("links: 10.9.0.0/16", "links: 10.9.0.0/29", "10.9.0.0/29", "too small"),
    ("leaf-4:Ethernet1/9]", "leaf-2:Ethernet1/9]", "[extra-9:eth2", "has a second link to"),
    # routers outside
    ("node: border-1", "node: border-2", "border-2", "did you mean 'border-1'?"),
    ("node: border-1", "node: leaf-1", "leaf-1, int", "is a leaf; borders speak to routers"),
    ("interface: Ethernet1/7", "interface: eth7", "eth7", "nxosv9k has no port 'eth7'"),
    ("interface: Ethernet1/7", "interface: Ethernet1/1", "Ethernet1/1, vlan", "is a fabric link's"),
    ("neighbor: 198.51.100.2", "neighbor: 198.51.100.9", "198.51.100.9", "not in 198.51.100.0/30"),
    ("neighbor: 198.51.100.2", "neighbor: 198.51.100.1", "198.51.100.1, asn", "the border's own"),
    ("neighbor: 198.51.100.2", "neighbor: 198.51.100.3", "198.51.100.3", "network or broadcast"),
    ("address: 198.51.100.1/30", "address: 198.51.100.1", "198.51.100.1,\n", "is no address with"),
    ("asn: 64999", "asn: 65000", "65000}", "AS 65000 is the fabric's own"),
    ("198.51.100", "10.10.20", "10.10.20.1/30", "overlaps the subnet of 'db'"),
    ("      vni: 50002", f"      vni: 50002\n      external: [{{{OUT}}}]",
     "100, address: 198.51.100.1/30, n", "VLAN 100 on border-1:Ethernet1/7 is used twice"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "marker", "words"), CASES)
def test_a_fault_is_told_at_its_place(good: str, bad: str, marker: str, words: str) -> None:
    assert good in GOOD
    text = GOOD.replace(good, bad)
    told = {f"{p.line}:{p.column}: {p.message} ({p.hint})" for p in faults(text)}
    line, column = place(text, marker)
    assert any(t.startswith(f"{line}:{column}: ") and words in t for t in told), sorted(told)


def test_pairs_need_two_leaves_and_ports_for_the_peer_link() -> None:
    text = "lab: x\nplatform: nxosv9k\nimage: nexus9300v.9.3.13\nfabric:\n"
    text += "  {spines: 1, leaves: 1, vpc: true}\n"
    [problem] = faults(text)
    assert (problem.line, problem.message) == (5, "no two leaves make a vPC pair")
    text = text.replace("spines: 1, leaves: 1", "spines: 8, leaves: 2, hosts_per_leaf: 55")
    assert any("leaf-1 would need 65 ports" in problem.message for problem in faults(text))


def test_a_last_spine_s_links_are_the_pairs() -> None:
    text = GOOD.replace("links: 10.9.0.0/16", "links: 10.9.0.0/25")
    parsed(text.replace("spines: 2", "spines: 3"))
    assert "is too small: it has no place for spine-4" in str(
        faults(text.replace("spines: 2", "spines: 4"))[0]
    )


def test_unnumbered_ebgp_is_refused() -> None:
    text = GOOD.replace("routing: ospf, links: numbered", "routing: ebgp, links: unnumbered")
    assert "a Nexus can't do eBGP on unnumbered links" in [p.message for p in faults(text)]


def test_routers_outside_are_the_nexus_s_alone() -> None:
    text = GOOD.replace("  extra-9:", "  border-1: {platform: frr}\n  extra-9:")
    assert any("frr can't speak to routers outside" in p.message for p in faults(text))


def test_more_vrfs_than_vlans() -> None:
    vrfs = "".join(f"    - {{name: v{n}, vni: {100000 + n}}}\n" for n in range(3900))
    text = f"lab: x\nplatform: nxosv9k\nfabric:\n  spines: 1\n  leaves: 1\n  vrfs:\n{vrfs}"
    assert [p.message for p in faults(text)] == [
        "3900 VRFs are more than a Nexus has VLANs for: 3899"
    ]


def test_without_vpc_its_pool_is_nobody_s() -> None:
    parsed("lab: x\nplatform: nxosv9k\nfabric:\n  spines: 1\n  leaves: 1\n"
           "  addressing: {vteps: 10.0.2.0/24}\n")  # fmt: skip
