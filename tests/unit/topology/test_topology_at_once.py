"""One run tells all that is wrong, and nothing that only follows from what it has told."""

from __future__ import annotations

import re

import pytest

from labctl.errors import TopologyError
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()


def told(text: str) -> list[str]:
    """PLACE: MESSAGE of every problem, hints aside."""
    with pytest.raises(TopologyError) as caught:
        load(text, source="f", platforms=PLATFORMS)
    return [f"{p.line}:{p.column}: {p.message}" for p in caught.value.problems]


BAD = """\
lab: Bad_Lab
platfrom: frr
fabric:
  spines: 2
  leaves: 2
  hosts_per_leaf: 1
  underlay: {routing: opsf}
  vrfs:
    - name: tenant-a
      vni: 50001
      networks:
        - {name: web, vlan: 3970, vni: 10010, gateway: 10.10.10.1/24}
        - {name: db, vlan: 20, vni: 10010, gateway: 10.10.10.129/25, on: [leaf-9]}
nodes:
  leaf-1: {memory: 12 GB}
  leaf-1: {vcpus: 0}
links:
  - [leaf-1:eth1, leaf-3:eth5]
  - [leaf-1:Ethernet1/1, leaf-2:eth5]
"""


def test_faults_of_shape_hide_no_others() -> None:
    assert told(BAD) == [
        "1:6: lab: 'Bad_Lab' is no safe name: up to 32 of a-z, 0-9 and '-', "
        "not starting or ending with '-'",
        "2:1: unknown key 'platfrom'",
        "7:23: routing: 'opsf' is not known here",
        "12:29: vlan: VLAN 3970 is reserved on NX-OS: use 2 to 3966",
        "13:37: VNI 10010 is used twice",
        "13:53: subnet of 'db' overlaps that of 'web' in the same VRF",
        "13:75: there is no node 'leaf-9'",
        "15:20: memory: '12 GB' is no size: write a number and a unit, MiB or GiB: 512 MiB",
        "16:3: key 'leaf-1' is given twice",
        "16:19: vcpus: must be 1 or more, not 0",
        "18:6: port leaf-1:eth1 is used twice",
        "18:19: there is no node 'leaf-3'",
        "19:6: platform frr has no port 'Ethernet1/1'",
    ]


FABRIC = "lab: x\nfabric: {spines: 2, leaves: 2, hosts_per_leaf: 1}\n"
NETWORKS = """\
lab: x
fabric:
  spines: 1
  leaves: 2
  hosts_per_leaf: 1
  vrfs:
    - name: red
      vni: 50001
      networks:
        - {name: web, vlan: 2, vni: 1, gateway: 192.0.2.1/24}
        - {name: db, vlan: 20, vni: 20, gateway: 10.0.20.1/24, on: [leaf-1]}
"""
BGP = "underlay: {routing: ebgp}, overlay: {asn: 65001}"


@pytest.mark.parametrize(
    ("text", "only"),
    [
        # counts: what they would have made may exist
        (FABRIC.replace("leaves: 2", "leaves: two") + "links: [[leaf-9:eth9, host-3:eth9]]", 1),
        (FABRIC.replace("leaves: 2", "leaves: two") + "links: [[lef-9:eth9, host-3:eth9]]", 2),
        (FABRIC.replace("spines: 2", "spines: two") + "nodes: {spine-2: {memory: 1 GiB}}", 1),
        (FABRIC.replace("spines: 2", "spines: two") + "nodes: {spine-2: {memory: 1 MB}}", 2),
        (FABRIC.replace("leaves: 2", "leafs: 2") + "links: [[leaf-3:eth9, leaf-1:eth9]]", 2),
        (FABRIC.replace("leaves: 2", "switches: 2") + "links: [[leaf-3:eth9, leaf-1:eth9]]", 1),
        ("lab: x\nfabric: 5\n", 1),
        ("lab: x\nnodes: 5\nlinks: [[a:eth1, b:eth1]]", 1),
        ("lab: x\nswitches: {a: {role: leaf}}\nlinks: [[a:eth1, b:eth1]]", 1),
        # nodes
        (FABRIC + "nodes: {x1: {role: laef}}\nlinks: [[x1:eth1, leaf-1:eth9]]", 1),
        (FABRIC + "nodes: {x1: {kind: leaf}}\nlinks: [[x1:eth1, leaf-1:eth9]]", 1),
        (FABRIC + "nodes: {leaf-1: {platform: 5}}\nlinks: [[leaf-1:Et1, leaf-2:eth9]]", 1),
        ("platform: 5\n" + FABRIC + "links: [[leaf-1:Et1, leaf-2:eth9]]", 1),
        # links: the good end is still looked at
        (FABRIC + "links: [[leaf-1, leaf-2:eth9]]", 1),
        (FABRIC + "links: [[leaf-1, leaf-2:eth1]]", 2),
        ("lab: x\nnodes: {s: {role: spine}, l: {role: leaf}}\nlinks: 5", 1),
        ("lab: x\nnodes: {s: {role: spine}, l: {role: leaf}}\nlinsk: [[s:eth1, l:eth1]]", 1),
        ("lab: x\nnodes: {s: {role: spine}, l: {role: leaf}}\nwires: [[s:eth1, l:eth1]]", 1),
        # networks: guesses collide with nothing
        (NETWORKS.replace("vlan: 20", "vlan: 5000"), 1),
        (NETWORKS.replace("vni: 20", "vni: 0"), 1),
        (NETWORKS.replace("vni: 20, ", ""), 1),
        (NETWORKS.replace("10.0.20.1/24", "here"), 1),
        (NETWORKS.replace("name: web", "name: 5") + "nodes: {host-1: {networks: [web]}}", 1),
        (NETWORKS.replace("networks:", "nets:") + "nodes: {host-1: {networks: [web]}}", 1),
        (NETWORKS.replace("[leaf-1]", "leaf-1") + "nodes: {host-2: {networks: [db]}}", 1),
        # defaults in the place of what is wrong collide with nothing
        (FABRIC.replace("spines", "addressing: {loopbacks: 5, vteps: 10.0.0.0/24}, spines"), 1),
        (FABRIC.replace("spines", "addressing: {links: 198.18.0.0/16}, spines"), 1),
        (
            FABRIC.replace("spines", "addressing: {links: 198.18.0.0/16}, spines")
            + "management: {subnet: 5}",
            1,
        ),
        (
            FABRIC.replace("spines", BGP.replace("ebgp", "bgp5") + ", spines")
            + "nodes: {leaf-1: {asn: 65009}}",
            1,
        ),
        (
            FABRIC.replace("spines", BGP.replace("65001", "none") + ", spines")
            + "nodes: {leaf-1: {asn: 65000}}",
            1,
        ),
    ],
)
def test_what_only_follows_is_not_told(text: str, only: int) -> None:
    found = told(text)
    assert len(found) == only, found


@pytest.mark.parametrize(
    "text", ["- 1", "root:*:20228:0:99999:7:::\nbin:*:20228:0:99999:7:::", "words", "5", "{a: 1}"]
)
def test_what_is_no_topology_file_gets_one_answer_that_quotes_nothing(text: str) -> None:
    (problem,) = told(text)
    assert re.fullmatch(
        "1:1: this does not look like a topology file: "
        "(a (list|single value), where keys such as lab, fabric and nodes are wanted"
        "|none of its keys is one of a topology file's, such as lab, fabric or nodes)",
        problem,
    )


def test_what_is_wrong_below_a_misspelt_key_is_told_too() -> None:
    assert told(FABRIC.replace("leaves: 2", "leafs: two")) == [
        "2:21: unknown key 'leafs'",
        "2:28: leaves: must be a whole number, not 'two'",
    ]
    assert told(FABRIC + "hosts: 4") == ["3:1: unknown key 'hosts'"]
    assert told(FABRIC + "nodez: {leaf-1: {vcpu: 0}, leaf-7: {memory: 1 GiB}}") == [
        "3:1: unknown key 'nodez'",
        "3:18: unknown key 'vcpu'",
        "3:24: vcpus: must be 1 or more, not 0",
        "3:28: node 'leaf-7' is none that the fabric makes, and has no role",
    ]


def test_a_wrong_value_with_an_alias_is_told_once() -> None:
    assert told(FABRIC + "nodes: {host-1: {networks: &a [5]}, host-2: {networks: *a}}") == [
        "3:32: must be text, not 5"
    ]


def test_all_that_a_key_given_twice_holds_counts() -> None:
    links = "links: [[leaf-1:eth8, leaf-9:eth8]]\n"
    assert told(FABRIC + "nodes: {x: {role: leaf}}\n" + links + "nodes: {y: 5}\n" + links) == [
        "4:23: there is no node 'leaf-9'",
        "5:1: key 'nodes' is given twice",
        "5:12: y: must be a mapping of keys to values, not 5",
        "6:1: key 'links' is given twice",
        "6:10: port leaf-1:eth8 is used twice",
        "6:23: there is no node 'leaf-9'",
    ]
