"""What pairs, multicast and routers outside make of the intent, and mixed fabrics of it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from harness.nexus_labs import intent_of
from labctl.fabric.addresses import backup_link, first_backup, link_place
from labctl.model.intent import Intent, LinkKind
from labctl.model.lab import Role

LAB = """\
lab: pairs
platform: nxosv9k
image: nexus9300v.9.3.13
fabric:
  spines: 2
  leaves: 5
  borders: 1
  hosts_per_leaf: 1
  vpc: true
  underlay: {underlay}
  overlay: {{replication: {replication}}}
  vrfs:
    - name: red
      vni: 50001
      networks:
        - {{name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}}
        - {{name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24, on: [leaf-1, leaf-2]}}
    - {{name: blue, vni: 50002}}
"""
OSPF, EBGP = "{routing: ospf}", "{routing: ebgp, links: numbered}"


def lab(underlay: str = OSPF, replication: str = "ingress") -> Intent:
    return intent_of(LAB.format(underlay=underlay, replication=replication))


def test_both_halves_see_one_address_and_each_other() -> None:
    nodes = lab().nodes
    one, other = nodes["leaf-3"].pair, nodes["leaf-4"].pair
    assert one is not None
    assert other is not None
    assert (one.number, one.peer, one.is_first) == (2, "leaf-4", True)
    assert (other.number, other.peer, other.is_first) == (2, "leaf-3", False)
    assert one.vtep == other.vtep == IPv4Address("10.0.2.12")
    assert (one.backup, one.far_backup) == (other.far_backup, other.backup)
    assert one.backup.network == other.backup.network
    assert nodes["leaf-5"].pair is None
    assert nodes["border-1"].pair is None


def test_others_must_see_a_pair_by_its_shared_address() -> None:
    nodes = lab().nodes
    shared = {IPv4Address("10.0.2.11"), IPv4Address("10.0.2.12")}
    single = nodes["leaf-5"].vtep
    assert nodes["leaf-5"].l2vnis[0].remote_vteps == shared
    assert nodes["leaf-1"].l2vnis[0].remote_vteps == {IPv4Address("10.0.2.12"), single}
    assert nodes["leaf-1"].l2vnis[1].remote_vteps == set()


def test_the_peer_link_is_one_port_channel() -> None:
    node = lab().nodes["leaf-2"]
    peers = [port for port in node.ports if port.kind is LinkKind.PEER]
    assert [(port.name, port.channel) for port in peers] == [
        ("Ethernet1/3", 1),
        ("Ethernet1/4", 1),
    ]
    assert all(p.channel == 0 for p in node.ports if p.kind is not LinkKind.PEER)


def test_ebgp_of_a_nexus_has_evpn_apart_and_pairs_back_each_other_up() -> None:
    node = lab(EBGP).nodes["leaf-1"]
    sessions = [(peer.node, str(peer.address), peer.ipv4, peer.evpn) for peer in node.peers]
    assert sessions == [
        ("spine-1", "10.9.0.0", True, False),
        ("spine-2", "10.9.8.0", True, False),
        ("leaf-2", "10.9.248.2", True, False),
        ("spine-1", "10.0.0.1", False, True),
        ("spine-2", "10.0.0.2", False, True),
    ]


def test_both_ends_of_a_mixed_fabric_agree_on_their_sessions() -> None:
    text = """\
lab: mixed
platform: frr
fabric: {spines: 2, leaves: 2, underlay: {routing: ebgp, links: numbered}}
nodes: {leaf-2: {platform: nxosv9k, image: nexus9300v.9.3.13}}
"""
    nodes = intent_of(text).nodes
    kinds = {
        (name, peer.node): sorted((p.ipv4, p.evpn) for p in node.peers if p.node == peer.node)
        for name, node in nodes.items()
        for peer in node.peers
    }
    assert kinds["spine-1", "leaf-1"] == kinds["leaf-1", "spine-1"] == [(True, True)]
    assert (
        kinds["spine-1", "leaf-2"]
        == kinds["leaf-2", "spine-1"]
        == [
            (False, True),
            (True, False),
        ]
    )


def test_multicast_groups_follow_the_vlan_and_all_spines_are_the_rendezvous_point() -> None:
    nodes = lab(replication="multicast").nodes
    groups = [str(vni.group) for vni in nodes["leaf-1"].l2vnis]
    assert groups == ["239.1.0.10", "239.1.0.20"]
    both = (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
    assert {n: node.rendezvous for n, node in nodes.items() if node.rendezvous} == {
        "spine-1": both,
        "spine-2": both,
    }
    assert lab().nodes["leaf-1"].l2vnis[0].group is None


def test_vlans_of_l3_vnis_count_down() -> None:
    assert [vni.vlan for vni in lab().nodes["border-1"].l3vnis] == [3900, 3899]


@pytest.mark.parametrize("prefix", range(16, 30))
def test_backup_links_overlap_neither_one_another_nor_fabric_links(prefix: int) -> None:
    pool = IPv4Network(f"10.9.0.0/{prefix}")
    first, taken = first_backup(prefix), set[IPv4Network]()
    for pair in range(1, 2000):
        ends = backup_link(pool, pair)
        if ends is None:
            break
        assert ends[0].network == ends[1].network
        assert ends[0].network.subnet_of(pool)
        assert ends[0].network not in taken
        taken.add(ends[0].network)
        assert int(ends[0].network.network_address) - int(pool.network_address) >= 2 * first
    spines = [
        spine for spine in range(1, 40) if link_place(spine, Role.LEAF, 1, prefix) is not None
    ]
    assert bool(taken) == (len(spines) > 1)
