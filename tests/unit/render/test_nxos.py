"""Nexus configurations: what they say for each kind of fabric and release."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from harness.nexus_labs import (
    FILE,
    IMAGES,
    PLATFORMS,
    config,
    configs,
    intent_of,
    lab,
    labs,
    section,
)
from harness.nxos_lint import lint
from harness.samples import change_node, site
from labctl.model.secret import ADMIN_PASSWORD
from labctl.render.day0 import day0
from labctl.render.nxos_ports import vlan_lists

TOPOLOGIES = Path(__file__).parents[3] / "topologies"


@settings(deadline=None, max_examples=60)
@given(labs())
def test_every_line_of_any_lab_is_nx_os(text: str) -> None:
    intent = intent_of(text)
    syntax = IMAGES[intent.lab.nodes[0].image]
    for name, rendered in configs(intent).items():
        assert lint(rendered, syntax) == [], name


def test_one_file_and_a_digest_of_it() -> None:
    intent = intent_of(lab())
    node = intent.nodes["leaf-1"]
    made = day0(node, intent.lab.fabric, PLATFORMS["nxosv9k"], site())
    assert list(made.files) == [FILE]
    other = change_node(intent, "leaf-1", extra_config="banner motd x\n").nodes["leaf-1"]
    changed = day0(other, intent.lab.fabric, PLATFORMS["nxosv9k"], site())
    assert changed.digest != made.digest
    assert changed.files[FILE].endswith("\nbanner motd x\n")


def test_user_management_and_console() -> None:
    text = config(intent_of(lab()), "leaf-1")
    assert f"username admin password 0 {ADMIN_PASSWORD} role network-admin" in text.splitlines()
    assert section(text, "interface mgmt0") == ["vrf member management", "ip address 198.18.7.3/24"]
    assert section(text, "vrf context management") == ["ip route 0.0.0.0/0 198.18.7.1"]
    assert section(text, "line console") == ["exec-timeout 0", "terminal width 511"]
    assert "system no poap" in text


def test_without_a_management_network_mgmt0_is_left_alone() -> None:
    assert "mgmt0" not in config(intent_of(lab()), "leaf-1", management="none")


@pytest.mark.parametrize(
    ("image", "boot"),
    [
        ("nxosv9k-7.0.3.I7.4", ["boot nxos bootflash:/nxos.7.0.3.I7.4.bin"]),
        ("nexus9300v64.10.5.5.M", ["boot nxos bootflash:/nxos64-cs.10.5.5.M.bin"]),
        ("some-image", []),
    ],
)
def test_boot_variable(image: str, boot: list[str]) -> None:
    """From the image's name, and by a script that asks the device: the name may tell nothing."""
    lines = config(intent_of(lab(image)), "spine-1").splitlines()
    assert [line for line in lines if line.startswith("boot ")] == boot
    assert "event manager applet LABCTL-BOOT" in lines
    assert not any(line.startswith("no feature") for line in lines)  # it asks a question


def test_the_boot_script_is_python() -> None:
    lines = config(intent_of(lab()), "spine-1").splitlines()
    script = [line.split("'")[1] for line in lines if line.startswith("echo ")]
    compile("\n".join(script), "labctl_boot.py", "exec")
    assert all(line.count("'") == 2 for line in lines if line.startswith("echo "))


def test_software_tells_the_release_where_the_image_does_not() -> None:
    more = "software: nxosv9k-7.0.3.I7.4"
    text = config(intent_of(lab("some-image", more=more)), "leaf-1")
    assert "boot nxos bootflash:/nxos.7.0.3.I7.4.bin" in text
    assert lint(text, "i7") == []
    assert "global ingress-replication" not in text


def test_replication_of_each_release() -> None:
    old = section(config(intent_of(lab("nxosv9k-7.0.3.I7.4")), "leaf-1"), "interface nve1")
    assert old.count("ingress-replication protocol bgp") == 2
    new = section(config(intent_of(lab()), "leaf-1"), "interface nve1")
    assert new.count("global ingress-replication protocol bgp") == 1
    assert "ingress-replication protocol bgp" not in new


def test_multicast_has_a_group_for_each_network_and_spines_as_rendezvous_point() -> None:
    intent = intent_of(lab(replication="multicast"))
    leaf, spine = config(intent, "leaf-1"), config(intent, "spine-2")
    nve = section(leaf, "interface nve1")
    assert nve[nve.index("member vni 10020") + 1] == "mcast-group 239.1.0.20"
    assert "ingress-replication" not in leaf
    assert "ip pim rp-address 10.254.254.254 group-list 239.1.0.0/16" in leaf.splitlines()
    assert "anycast-rp" not in leaf
    assert "ip pim anycast-rp 10.254.254.254 10.0.0.1" in spine
    assert "ip pim anycast-rp 10.254.254.254 10.0.0.2" in spine
    assert "ip address 10.254.254.254/32" in section(spine, "interface loopback254")
    for head in ("interface loopback0", "interface loopback1", "interface Ethernet1/1"):
        assert "ip pim sparse-mode" in section(leaf, head)


def test_ebgp_keeps_evpn_on_sessions_between_loopbacks() -> None:
    intent = intent_of(lab(routing="ebgp", links="numbered"))
    spine, leaf = config(intent, "spine-1"), config(intent, "leaf-1")
    evpn = section(spine, "  template peer LEAF-EVPN")
    assert evpn == [
        "update-source loopback0", "ebgp-multihop 3", "address-family l2vpn evpn",
        "send-community", "send-community extended", "route-map NH-UNCHANGED out",
    ]  # fmt: skip
    assert section(spine, "  template peer LEAF-UNDERLAY") == ["address-family ipv4 unicast"]
    assert section(spine, "  neighbor 10.0.0.11") == ["inherit peer LEAF-EVPN", "remote-as 65011"]
    assert "retain route-target all" in section(spine, "  address-family l2vpn evpn")
    assert "network 10.0.1.11/32" in section(leaf, "router bgp 65011")
    assert "NH-UNCHANGED" not in leaf
    assert "ospf" not in leaf


def test_route_targets_are_those_of_the_overlay_s_as() -> None:
    text = config(intent_of(lab(routing="ebgp", links="numbered")), "leaf-1")
    assert "route-target import 65000:50001 evpn" in section(text, "vrf context tenant-a")
    assert "route-target export 65000:10010" in section(text, "evpn")


def test_ports_to_hosts() -> None:
    more = "nodes: {host-2: {networks: [db]}}"
    intent = intent_of(lab(more=more))
    trunk = section(config(intent, "leaf-1"), "interface Ethernet1/3")
    assert "switchport trunk native vlan 10" in trunk
    assert "switchport trunk allowed vlan 10,20" in trunk
    access = section(config(intent, "leaf-2"), "interface Ethernet1/3")
    assert "switchport access vlan 20" in access
    assert "switchport mode trunk" not in access


def test_ports_without_a_wire_stay_shut_and_extra_wires_are_up() -> None:
    text = config(
        intent_of(lab(more="links: [[leaf-1:Ethernet1/9, leaf-2:Ethernet1/9]]")), "leaf-1"
    )
    assert text.index("system default switchport shutdown") < text.index("interface Ethernet")
    assert "no shutdown" in section(text, "interface Ethernet1/9")
    assert "interface Ethernet1/8" not in text


def test_border_originates_a_default_route() -> None:
    text = config(intent_of(lab()), "border-1")
    assert "ip route 0.0.0.0/0 Null0" in section(text, "vrf context tenant-a")
    assert "network 0.0.0.0/0" in section(text, "  vrf tenant-a")
    assert "0.0.0.0/0" not in section(config(intent_of(lab()), "leaf-1"), "vrf context tenant-a")


def test_border_speaks_to_a_router_outside() -> None:
    out = (
        "      external: [{node: border-1, interface: Ethernet1/7, vlan: 100, "
        "address: 198.51.100.1/30, neighbor: 198.51.100.2, asn: 64999}]"
    )
    text = config(intent_of(lab(more=out)), "border-1")
    assert "ip route 0.0.0.0/0 198.51.100.2" in section(text, "vrf context tenant-a")
    assert section(text, "interface Ethernet1/7.100") == [
        "description AS 64999", "encapsulation dot1q 100", "vrf member tenant-a",
        "ip address 198.51.100.1/30", "no shutdown",
    ]  # fmt: skip
    assert section(text, "    neighbor 198.51.100.2")[0] == "remote-as 64999"


def test_the_way_out_is_as_the_example_says() -> None:
    """Static, by way of the router; it is told to the fabric, and not back to the router."""
    example = (TOPOLOGIES / "vpc-multicast.yaml").read_text()
    assert "to which tenant-a's default route\n# leads. That one is static" in example
    text = config(intent_of(example), "border-1")
    assert "ip route 0.0.0.0/0 198.51.100.2" in section(text, "vrf context tenant-a")
    assert "network 0.0.0.0/0" in section(text, "  vrf tenant-a")
    assert section(text, "route-map EXT-OUT deny 5") == [
        "match ip address prefix-list DEFAULT-ONLY"
    ]


def test_line_cards_of_a_large_9500v_are_inserted() -> None:
    more = "links: [[leaf-1:Ethernet3/2, leaf-2:Ethernet3/2]]"
    text = config(intent_of(lab("nexus9500v64.10.5.5.M", more=more)), "leaf-1")
    assert "platform insert module 2 linecard N9K-X9516v" in text
    assert "platform insert module 3 linecard N9K-X9532v" in text
    assert "module 4" not in text


def test_one_loopback_for_both_is_the_vtep_s_source() -> None:
    text = config(intent_of(lab(more="nodes: {leaf-1: {vtep: 10.0.0.11}}")), "leaf-1")
    assert "source-interface loopback0" in section(text, "interface nve1")
    assert "loopback1" not in text


def test_a_saved_configuration_stands_for_the_fabric_s() -> None:
    saved = "! labctl: whole configuration of leaf-1\nhostname leaf-1\n"
    text = config(change_node(intent_of(lab()), "leaf-1", extra_config=saved), "leaf-1")
    assert "router bgp" not in text
    assert "username admin" in text
    assert text.endswith(saved)


@pytest.mark.parametrize(
    ("vlans", "lists"),
    [
        ([], ()),
        ([3], ("3",)),
        ([1, 2, 4], ("1,2,4",)),
        ([5, 3, 4, 1], ("1,3-5",)),
    ],
)
def test_vlan_lists(vlans: list[int], lists: tuple[str, ...]) -> None:
    assert vlan_lists(vlans) == lists


def test_long_vlan_lists_are_cut() -> None:
    lists = vlan_lists(range(2, 3900, 2))
    assert len(lists) > 10
    assert all(len(text) < 200 for text in lists)
    assert [int(v) for text in lists for v in text.split(",")] == list(range(2, 3900, 2))
