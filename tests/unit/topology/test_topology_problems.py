"""Every kind of fault in a topology file: told at its own place, in words that help."""

from __future__ import annotations

import pytest

from labctl.errors import Problem, TopologyError
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()
GOOD = """\
lab: sample
platform: frr
image: frr-12
fabric:
  spines: 2
  leaves: 3
  borders: 1
  hosts_per_leaf: 1
  underlay: {routing: ospf, links: numbered}
  overlay: {asn: 65000, replication: ingress}
  addressing: {loopbacks: 10.0.0.0/24, vteps: 10.0.1.0/24, links: 10.9.0.0/16}
  vrfs:
    - name: red
      vni: 50001
      networks:
        - {name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}
        - {name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24, on: [leaf-1]}
nodes:
  leaf-1: {memory: 512 MiB, vcpus: 2, loopback: 10.0.0.99}
  host-2: {networks: [web]}
  spine-1: {config: "router bgp"}
  extra-7: {role: host}
links:
  - [leaf-1:eth47, leaf-2:eth47]
  - [extra-7:eth1, leaf-3:eth9]
management: {subnet: 192.168.77.0/24}
host: {kvm: false, memory_overcommit: 1.5}
"""


def faults(text: str) -> tuple[Problem, ...]:
    with pytest.raises(TopologyError) as caught:
        load(text, source="f.yaml", platforms=PLATFORMS)
    return caught.value.problems


def place(text: str, marker: str) -> tuple[int, int]:
    before = text[: text.index(marker)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_the_good_file_is_good() -> None:
    assert len(load(GOOD, source="f.yaml", platforms=PLATFORMS).nodes) == 10


CASES = [
    # shape
    ("lab: sample", "lab: Sample", "Sample", "is no safe name"),
    ("lab: sample", "lab: 12", "12", "must be text, not 12"),
    ("platform: frr", "platfrom: frr", "platfrom", "unknown key 'platfrom' (did you mean 'platf"),
    ("platform: frr", "platform: fr", "fr\n", "there is no platform 'fr' (did you mean 'frr'?)"),
    ("platform: frr", "platform: linux", "linux", "platform 'linux' can't be a spine"),
    ("image: frr-12", "image: ../frr", "../frr", "won't do here"),
    ("spines: 2", "spines: two", "two", "spines: must be a whole number, not 'two'"),
    ("spines: 2", "spines: -1", "-1\n", "spines: must be 0 or more, not -1"),
    ("spines: 2", "spines: 02", "02", "must be a whole number, not '02'"),
    ("leaves: 3", "leafs: 3", "leafs", "did you mean 'leaves'?"),
    ("leaves: 3", "leaves: 4096", "fabric:", "nodes are more than labctl takes: 8192"),
    ("leaves: 3", "leaves: 1000", "10.0.0.0/24", "has no place for leaf-245 (a /22 would do)"),
    ("leaves: 3", "leaves: 1025", "1025", "spine-1 would need 1026 ports; platform frr has 1024"),
    ("hosts_per_leaf: 1", "hosts_per_leaf: 65", "65\n", "must be 64 or less, not 65"),
    ("routing: ospf", "routing: opsf", "opsf", "'opsf' is not known here (did you mean 'ospf'?)"),
    ("kvm: false", "kvm: no", "no,", "kvm: must be true or false, not 'no'"),
    ("memory_overcommit: 1.5", "memory_overcommit: 0", "0}", "must be more than 0"),
    ("name: red", "name: 'r d'", "'r d'", "is no safe name"),
    (
        "vrfs:\n    - name: red\n      vni: 50001",
        "vrfs:\n    - vni: 50001",
        "vni: 50001",
        "missing",
    ),
    ("[leaf-1:eth47, leaf-2:eth47]", "[leaf-1:eth47]", "[leaf-1:eth47]", "must have 2 entries"),
    ("[leaf-1:eth47,", "[leaf-1,", "leaf-1, leaf-2", "is no link end"),
    ("- [leaf-1:eth47, leaf-2:eth47]", "- 5", "5\n  - [", "must be a list, not 5"),
    ("nodes:\n", "nodes:\n  Leaf_1: {}\n", "Leaf_1", "is no safe name"),
    # VLANs, VNIs, AS numbers
    ("vlan: 20", "vlan: 1", "1, vni: 10020", "VLAN 1 is the switches' own"),
    ("vlan: 20", "vlan: 3967", "3967", "VLAN 3967 is reserved on NX-OS: use 2 to 3966"),
    ("vlan: 20", "vlan: 4095", "4095", "4095 is no VLAN"),
    ("vlan: 20", "vlan: 10", "10, vni: 10020", "VLAN 10 is used twice (first used in line 16)"),
    ("vni: 10020", "vni: 10010", "10010, gateway: 10.10.20", "VNI 10010 is used twice"),
    ("vni: 10020", "vni: 50001", "50001, gateway", "(first used in line 14)"),
    ("vni: 10020", "vni: 16777215", "16777215", "is no VNI: use 1 to 16777214"),
    ("name: db", "name: web", "web, vlan: 20", "network web is used twice"),
    ("asn: 65000", "asn: 0", "0, repl", "0 is no AS number"),
    ("asn: 65000", "asn: 23456", "23456", "reserved"),
    ("replication: ingress", "replication: multicast", "multicast", "frr can't replicate by mul"),
    # names on Linux
    ("name: red", "name: red-red-red-red-red", "red-red", "longer than a Linux device name"),
    ("name: red", "name: Eth0", "Eth0", "is one that Linux uses itself"),
    ("name: db", "name: lo", "lo, vlan", "is one that Linux uses itself"),
    # gateways and pools
    ("10.10.20.1/24", "10.10.20.0/24", "10.10.20.0", "is the network address of"),
    ("10.10.20.1/24", "10.10.20.255/24", "10.10.20.255", "is the broadcast address of"),
    ("10.10.20.1/24", "10.10.20.1/31", "10.10.20.1/31", "too small for a gateway and hosts"),
    ("10.10.20.1/24", "10.10.20.1", "10.10.20.1, on", "is no gateway"),
    ("10.10.20.1/24", "10.10.10.129/25", "10.10.10.129", "overlaps that of 'web' in the same"),
    ("10.10.20.1/24", "192.168.77.1/25", "192.168.77.1/25", "overlaps the management network"),
    ("10.10.10.1/24", "10.10.10.1/29", "10.10.10.1/29", "too small: it has no place for extra-7"),
    ("10.0.0.0/24", "10.0.0.1/24", "10.0.0.1/24", "has host bits set: the subnet is 10.0.0.0/24"),
    ("10.0.0.0/24", "10.0.0.0", "10.0.0.0,", "is no IPv4 subnet"),
    ("10.0.0.0/24", "10.0.0.0/30", "10.0.0.0/30", "no place for spine-2 (a /29 would do)"),
    ("10.0.1.0/24", "10.0.0.128/25", "10.0.0.128", "pool vteps overlaps pool loopbacks"),
    ("10.9.0.0/16", "10.9.0.0/30", "10.9.0.0/30", "links 10.9.0.0/30 is too small"),
    ("10.9.0.0/16", "10.9.0.0/29", "10.9.0.0/29", "too small"),
    ("192.168.77.0/24", "10.9.4.0/24", "10.9.4.0", "pool management overlaps pool links"),
    ("192.168.77.0/24", "192.168.77.0/29", "192.168.77.0", "has room for 5 nodes, the lab has 10"),
    # nodes
    ("memory: 512 MiB", "memory: 512", "512,", "is no size"),
    ("memory: 512 MiB", "memory: 512 MB", "512 MB", "is no size"),
    ("memory: 512 MiB", "memory: 0.3 MiB", "0.3", "is no whole number of MiB"),
    ("vcpus: 2", "vcpu: 2", "vcpu", "did you mean 'vcpus'?"),
    ("extra-7: {role: host}", "extra-7: {}", "extra-7", "has no role (give it a role"),
    ("nodes:\n", "nodes:\n  leaf-4: {}\n", "leaf-4", "none that the fabric makes"),
    ("memory: 512 MiB", "role: border", "border, v", "leaf-1 is a leaf made by the fabric shor"),
    ("memory: 512 MiB", "platform: linux", "linux", "platform 'linux' can't be a leaf"),
    ("memory: 512 MiB", "platform: nxos", "nxos", "there is no platform 'nxos'"),
    ("memory: 512 MiB", "asn: 65001", "65001", "under ospf all switches speak iBGP in AS 65000"),
    ("loopback: 10.0.0.99", "loopback: 10.0.0.300", "10.0.0.300", "is no IPv4 address"),
    ("loopback: 10.0.0.99", "loopback: 224.0.0.5", "224.0.0.5", "can't be a device's address"),
    ("loopback: 10.0.0.99", "loopback: 10.0.1.12", "10.0.1.12", "is also leaf-2's vtep"),
    ("loopback: 10.0.0.99", "loopback: 10.9.0.7", "10.9.0.7", "lies in the links pool"),
    ("loopback: 10.0.0.99", "loopback: 192.168.77.9", "192.168.77.9", "in the management pool"),
    ('config: "router bgp"', "vtep: 10.0.1.3", "vtep: 10.0.1.3", "a spine has no vtep"),
    ('config: "router bgp"', "config: {file: x.cfg}", "x.cfg", "can't be read from here"),
    ('config: "router bgp"', "config: {fiel: x.cfg}", "fiel", "did you mean 'file'?"),
    ("networks: [web]", "config: x", "config: x", "platform linux takes no device config"),
    ("networks: [web]", "networks: [wbe]", "wbe", "no network 'wbe' (did you mean 'web'?)"),
    (
        "networks: [web]",
        "networks: [db]",
        "db]}\n  sp",
        "leaf-2 does not carry 'db' (it ca",
    ),
    ("networks: [web]", "networks: [web, web]", "web]}\n  sp", "web is named twice"),
    # on
    ("on: [leaf-1]", "on: [leaf-9]", "leaf-9", "there is no node 'leaf-9'"),
    ("on: [leaf-1]", "on: [spine-1]", "spine-1]", "spine-1 is a spine; networks live on leaves"),
    ("on: [leaf-1]", "on: [leaf-1, leaf-1]", "leaf-1]}", "leaf-1 is named twice"),
    # links
    ("[leaf-1:eth47,", "[leaf-1:eth0,", "leaf-1:eth0", "eth0 is the management port"),
    ("[leaf-1:eth47,", "[leaf-1:Ethernet1/4,", "leaf-1:Eth", "has no port 'Ethernet1/4'"),
    ("[leaf-1:eth47,", "[leaf-1:eth1025,", "leaf-1:eth1025", "its ports are eth1 to eth1024"),
    ("[leaf-1:eth47,", "[leaff-1:eth47,", "leaff-1", "did you mean 'leaf-1'?"),
    ("[leaf-1:eth47,", "[leaf-1:eth1,", "leaf-1:eth1,", "first in the fabric shorthand: spine-1:"),
    ("leaf-3:eth9]", "leaf-2:eth47]", "leaf-2:eth47]\nman", "is used twice (first in line 24"),
    ("leaf-2:eth47]", "leaf-1:eth48]", "[leaf-1:eth47", "leaf-1 is linked to itself"),
    ("[extra-7:eth1, leaf-3:eth9]", "[extra-7:eth1, spine-1:eth9]", "[extra", "hangs on a spine"),
    ("- [extra-7:eth1, leaf-3:eth9]", "", "extra-7", "host extra-7 has no link to a leaf"),
    ("- [extra-7", "- [extra-7:eth2, leaf-1:eth9]\n  - [extra-7", "[extra-7:eth1", "a second link"),
    ("- [extra-7", "- [spine-1:eth9, leaf-1:eth9]\n  - [extra-7", "[spine-1", "needs a second /31"),
    ("nodes:\n", "nodes:\n  leaf-9: {role: leaf}\n", "leaf-9", "so it is cut off"),
]


@pytest.mark.parametrize(("old", "new", "marker", "says"), CASES)
def test_a_fault_is_told_at_its_place(old: str, new: str, marker: str, says: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    told = [str(problem) for problem in faults(text)]
    line, column = place(text, marker)
    matching = [line for line in told if says in line]
    assert matching, told
    assert any(fault.startswith(f"f.yaml:{line}:{column}: ") for fault in matching), told


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("lab: sample", "lab: Sample")
        .replace("vlan: 20", "vlan: 10")
        .replace("vcpus: 2", "vcpu: 2")
        .replace("memory: 512 MiB", "memory: 1 MB")
        .replace("[leaf-1:eth47,", "[leaf-1:eth1,")
        .replace("10.9.0.0/16", "10.9.0.0/30")
        .replace("kvm: false", "kvm: nope")
    )
    found = faults(text)
    assert [problem.line for problem in found] == [1, 11, 17, 19, 19, 24, 27]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "f.yaml:1:1: the file is empty (`labctl new` writes one to start from)"),
        ("# nothing", "f.yaml:1:1: the file is empty (`labctl new` writes one to start from)"),
        ("lab: x", "f.yaml:1:1: the lab has no nodes (give fabric: spines and leaves, or nodes:)"),
        ("fabric: {spines: 1, leaves: 1}", "f.yaml:1:1: 'lab' is missing"),
        ("lab: x\nfabric: {spines: 1}", "f.yaml:2:1: spines without leaves make no fabric"),
        (
            "lab: x\nfabric: {leaves: 2}",
            "f.yaml:2:1: leaf-1 has no link to a spine, so it is cut off (add one under links:)",
        ),
    ],
)
def test_files_with_too_little_in_them(text: str, says: str) -> None:
    assert says in [str(problem) for problem in faults(text)]


def test_a_single_leaf_needs_no_spine() -> None:
    lab = load("lab: x\nfabric: {leaves: 1}", source="f", platforms=PLATFORMS)
    assert [node.name for node in lab.nodes] == ["leaf-1"]


ISLANDS = """\
lab: x
fabric:
  underlay: {routing: ebgp}
nodes:
  s1: {role: spine}
  s2: {role: spine}
  l1: {role: leaf}
  l2: {role: leaf}
  l3: {role: leaf}
links:
  - [s1:eth1, l1:eth1]
  - [s2:eth1, l2:eth1]
  - [s2:eth2, l3:eth1]
"""


def test_parts_without_a_link_between_them_are_named() -> None:
    told = [str(problem) for problem in faults(ISLANDS)]
    assert told == ["f.yaml:6:3: no fabric link leads from l2, l3, s2 to s1"]


def test_under_ebgp_leaves_without_a_common_spine_are_named() -> None:
    text = ISLANDS + "  - [s1:eth2, l2:eth2]\n"
    (told,) = faults(text)
    assert told.message == "l3 and l1 have no spine in common"
    load(text.replace("ebgp", "ospf"), source="f", platforms=PLATFORMS)


def test_under_ebgp_as_numbers_differ() -> None:
    text = ISLANDS + "  - [s1:eth2, l2:eth2]\n  - [s1:eth3, l3:eth2]\n"
    good = text.replace("l1: {role: leaf}", "l1: {role: leaf, asn: 65100}")
    load(good, source="f", platforms=PLATFORMS)
    bad = good.replace("l3: {role: leaf}", "l3: {role: leaf, asn: 65100}")
    bad = bad.replace("s1: {role: spine}", "s1: {role: spine, asn: 65012}")
    bad = bad.replace("l2: {role: leaf}", "l2: {role: leaf, asn: 65012}")
    assert [problem.message for problem in faults(bad)] == [
        "l2 has s1's AS number 65012",
        "l3 has l1's AS number 65100",
    ]


def test_config_files_are_read_and_what_is_wrong_with_them_told() -> None:
    text = GOOD.replace('config: "router bgp"', "config: {file: x.cfg}")

    def missing(name: str) -> str:
        raise FileNotFoundError(2, "No such file or directory")

    lab = load(text, source="f", platforms=PLATFORMS, read_file=lambda name: f"! {name}\n")
    assert lab.node("spine-1").extra_config == "! x.cfg\n"
    with pytest.raises(TopologyError, match="1 problem") as caught:
        load(text, source="f", platforms=PLATFORMS, read_file=missing)
    assert caught.value.problems[0].hint == "No such file or directory"
    with pytest.raises(TopologyError) as caught:
        load(text, source="f", platforms=PLATFORMS, read_file=lambda _: "a\0b")
    assert "is no configuration text" in caught.value.problems[0].message


def test_vnis_must_fit_into_route_targets_beside_a_4_byte_as() -> None:
    text = GOOD.replace("asn: 65000", "asn: 4200000000")
    load(text, source="f", platforms=PLATFORMS)
    (fault,) = faults(text.replace("vni: 50001", "vni: 70000"))
    assert fault.message.startswith("VNI 70000 fits into no route target beside the 4-byte")


def test_leaves_and_borders_share_the_links_pool() -> None:
    text = "lab: x\nfabric:\n  spines: 1\n  leaves: {}\n  borders: 2\n"
    text += "  underlay: {{links: numbered}}\n  addressing: {{links: 10.9.0.0/28}}\n"
    load(text.format(2), source="f", platforms=PLATFORMS)
    (fault,) = faults(text.format(3))
    assert fault.message == "links 10.9.0.0/28 is too small: it has no place for spine-1 -- leaf-3"


def test_hosts_alone_may_be_wired_to_one_another() -> None:
    text = "lab: x\nnodes: {a: {role: host}, b: {role: host}}\nlinks: [[a:eth1, b:eth1]]\n"
    assert len(load(text, source="f", platforms=PLATFORMS).links) == 1


def test_a_configuration_that_is_a_file_s_name_is_read_from_it() -> None:
    text = GOOD.replace('config: "router bgp"', "config: saved/spine-1.cfg")
    lab = load(text, source="f.yaml", platforms=PLATFORMS, read_file=lambda name: f"! {name}\n")
    assert lab.node("spine-1").extra_config == "! saved/spine-1.cfg\n"
    assert any("can't be read from here" in str(problem) for problem in faults(text))
