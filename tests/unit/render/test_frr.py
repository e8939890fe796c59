"""FRR configurations: what they say, and that FRR's own parser takes them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from harness.samples import TENANT, change, change_node, ebgp, sample, site
from labctl import process
from labctl.errors import InternalError
from labctl.model.intent import Intent, LinkKind
from labctl.model.lab import Fabric, LinkAddressing
from labctl.model.saved import as_whole
from labctl.model.site import Site
from labctl.render.day0 import day0
from labctl.topology.platforms import load_platforms


def files(intent: Intent, name: str, where: Site | None = None) -> dict[str, str]:
    """The day-0 files of one node."""
    node = intent.nodes[name]
    platform = load_platforms()[node.node.platform]
    return dict(day0(node, intent.lab.fabric, platform, where or site()).files)


def block(config: str, head: str) -> list[str]:
    """The lines below `head` up to its `exit`, without indentation."""
    lines = config.splitlines()
    start = lines.index(head)
    end = next(i for i in range(start, len(lines)) if lines[i] in ("exit", "exit-vrf"))
    return [line.strip() for line in lines[start + 1 : end]]


def numbered_ospf() -> Intent:
    """The sample with /31s on its fabric link and OSPF."""
    fabric = Fabric(links=LinkAddressing.NUMBERED, vrfs=(TENANT,))
    intent = sample(fabric)
    port = replace(intent.nodes["leaf-1"].ports[0], address=IPv4Interface("10.9.0.1/31"))
    return change(intent, "leaf-1", ports=(port, *intent.nodes["leaf-1"].ports[1:]))


def test_spine_reflects_to_its_clients() -> None:
    bgp = block(files(sample(), "spine-1")["frr.conf"], "router bgp 65000")
    assert "bgp cluster-id 10.0.0.1" in bgp
    assert "neighbor OVERLAY-CLIENTS route-reflector-client" in bgp
    assert "neighbor 10.0.0.11 peer-group OVERLAY-CLIENTS" in bgp
    assert "advertise-all-vni" not in bgp


def test_leaf_has_every_vni_with_explicit_route_targets() -> None:
    config = files(sample(), "leaf-1")["frr.conf"]
    bgp = block(config, "router bgp 65000")
    at = bgp.index("vni 10020")
    assert bgp[at : at + 4] == [
        "vni 10020",
        "route-target import 65000:10020",
        "route-target export 65000:10020",
        "exit-vni",
    ]
    assert block(config, "vrf tenant-a") == ["vni 50001"]
    vrf = block(config, "router bgp 65000 vrf tenant-a")
    assert "route-target import 65000:50001" in vrf
    assert "advertise ipv4 unicast" in vrf
    assert "default-originate ipv4" not in vrf


def test_session_to_a_loopback_names_its_source_address() -> None:
    """With two addresses on lo, `update-source lo` would leave the choice to chance."""
    bgp = block(files(sample(), "leaf-1")["frr.conf"], "router bgp 65000")
    assert "neighbor OVERLAY update-source 10.0.0.11" in bgp


def test_border_originates_a_default_route() -> None:
    intent = sample()
    vrf = replace(intent.nodes["leaf-1"].l3vnis[0], default_route=True)
    config = files(change(intent, "leaf-1", l3vnis=(vrf,)), "leaf-1")["frr.conf"]
    assert "default-originate ipv4" in block(config, "router bgp 65000 vrf tenant-a")


@pytest.mark.parametrize(
    ("intent", "address"),
    [(sample(), "10.0.0.11/32"), (numbered_ospf(), "10.9.0.1/31")],
    ids=["unnumbered", "numbered"],
)
def test_ospf_runs_on_fabric_links_and_loopback_only(intent: Intent, address: str) -> None:
    config = files(intent, "leaf-1")["frr.conf"]
    assert block(config, "interface eth1") == [
        f"ip address {address}",
        "ip ospf area 0.0.0.0",
        "ip ospf network point-to-point",
    ]
    assert block(config, "interface lo")[:2] == [
        "ip address 10.0.0.11/32",
        "ip address 10.0.1.11/32",
    ]
    assert "interface eth2" not in config


def test_numbered_ebgp_speaks_to_the_far_end_of_the_link() -> None:
    config = files(ebgp(), "leaf-1")["frr.conf"]
    bgp = block(config, "router bgp 65011")
    assert "neighbor FABRIC remote-as 65100" in bgp
    assert "neighbor 10.9.0.0 peer-group FABRIC" in bgp
    assert bgp.count("neighbor FABRIC activate") == 2
    assert {"network 10.0.0.11/32", "network 10.0.1.11/32"} <= set(bgp)
    assert "ospf" not in config
    assert not any("update-source" in line or "multihop" in line for line in bgp)


def test_unnumbered_ebgp_needs_no_addresses() -> None:
    config = files(ebgp(LinkAddressing.UNNUMBERED), "leaf-1")["frr.conf"]
    assert "neighbor eth1 interface peer-group FABRIC" in block(config, "router bgp 65011")
    assert block(config, "interface eth1") == []


def test_peers_of_different_as_numbers_are_named_one_by_one() -> None:
    intent = ebgp(LinkAddressing.UNNUMBERED)
    peer = intent.nodes["spine-1"].peers[0]
    other = replace(peer, node="leaf-2", asn=65012, interface="eth2")
    config = files(change(intent, "spine-1", peers=(peer, other)), "spine-1")["frr.conf"]
    bgp = block(config, "router bgp 65100")
    assert "neighbor eth1 interface remote-as 65011" in bgp
    assert "neighbor eth2 interface remote-as 65012" in bgp
    assert not any(line.startswith("neighbor FABRIC remote-as") for line in bgp)


def test_ebgp_to_a_loopback_is_multihop() -> None:
    intent = ebgp()
    far = replace(
        intent.nodes["leaf-1"].peers[0], address=intent.nodes["spine-1"].loopback, ipv4=False
    )
    bgp = block(
        files(change(intent, "leaf-1", peers=(far,)), "leaf-1")["frr.conf"], "router bgp 65011"
    )
    assert "neighbor OVERLAY ebgp-multihop 3" in bgp
    assert "neighbor OVERLAY update-source 10.0.0.11" in bgp


def test_ports_join_the_bridges_of_their_networks() -> None:
    lines = files(sample(), "leaf-1")["ip.batch"].splitlines()
    assert "link set dev eth2 master br10" in lines
    assert "link add link eth2 name eth2.20 type vlan id 20" in lines
    assert "link set dev eth2.20 addrgenmode none master br20 up" in lines
    assert not any("eth3" in line and "master" in line for line in lines)


def test_gateway_and_router_macs() -> None:
    lines = files(sample(), "leaf-1")["ip.batch"].splitlines()
    assert "link set dev br10 address 00:00:22:22:33:33 addrgenmode none master tenant-a" in lines
    assert "address add 10.10.10.1/24 dev br10" in lines
    bridge = "link set dev l3br50001 address 02:00:00:00:00:0b addrgenmode none master tenant-a"
    assert bridge in lines


def test_l3_bridge_of_a_small_vni_is_not_a_networks_bridge() -> None:
    """VRF with VNI 10 beside VLAN 10: both bridges get a name of their own."""
    intent = sample()
    vrf = replace(intent.nodes["leaf-1"].l3vnis[0], vrf=replace(TENANT, vni=10))
    lines = files(change(intent, "leaf-1", l3vnis=(vrf,)), "leaf-1")["ip.batch"].splitlines()
    added = [line.split()[3] for line in lines if line.startswith("link add name")]
    assert len(set(added)) == len(added)


def test_every_vxlan_device_suppresses_arp_and_learns_nothing() -> None:
    rendered = files(sample(), "leaf-1")
    added = [
        line.split()[3] for line in rendered["ip.batch"].splitlines() if " type vxlan " in line
    ]
    assert sorted(rendered["bridge.batch"].splitlines()) == sorted(
        f"link set dev {name} neigh_suppress on learning off" for name in added
    )


def test_management_is_left_out_where_there_is_none() -> None:
    rendered = files(sample(), "leaf-1", site(management="none"))
    assert "eth0" not in rendered["ifnames"] + rendered["ip.batch"]
    assert len(rendered["ifnames"].splitlines()) == 3


def test_host_legs() -> None:
    lines = files(sample(), "host-1")["ip.batch"].splitlines()
    assert "address add 10.10.10.11/24 dev eth1" in lines
    assert "route add default via 10.10.10.1 dev eth1" in lines
    assert "link set dev eth1.20 master db" in lines
    assert "route add default via 10.10.20.1 dev eth1.20 table 1002" in lines
    assert "link set dev eth2 mtu 9216 up" in lines
    assert sample().nodes["host-1"].ports[1].kind is LinkKind.EXTRA


@pytest.mark.parametrize(
    ("extra", "daemon"),
    [
        ("router ospf6\n", "ospf6d"),
        ("router bgp 65000\n neighbor 10.0.0.1 bfd\n", "bfdd"),
        ("interface eth1\n ip pim\n", "pimd"),
    ],
)
def test_daemons_that_only_the_users_configuration_needs(extra: str, daemon: str) -> None:
    assert daemon not in files(sample(), "leaf-1")["daemons"].split()
    changed = change_node(sample(), "leaf-1", extra_config=extra)
    assert files(changed, "leaf-1")["daemons"].split().count(daemon) == 1


def test_a_word_within_a_word_asks_for_no_daemon() -> None:
    changed = change_node(sample(), "leaf-1", extra_config="hostname nobfd\n")
    assert "bfdd" not in files(changed, "leaf-1")["daemons"].split()


def test_users_configuration_comes_last_and_as_it_is() -> None:
    text = "ip prefix-list x permit 10.0.0.0/8\nbanner motd line a {{ b }} $c\n"
    config = files(change_node(sample(), "leaf-1", extra_config=text), "leaf-1")["frr.conf"]
    assert config.endswith(f"exit\n{text}")


def test_control_characters_in_it_are_refused() -> None:
    with pytest.raises(InternalError):
        files(change_node(sample(), "leaf-1", extra_config="banner \x1b[2J\n"), "leaf-1")


CONFIGS = {
    "ospf": sample(),
    "ospf-numbered": numbered_ospf(),
    "ebgp": ebgp(),
    "ebgp-unnumbered": ebgp(LinkAddressing.UNNUMBERED),
}


@pytest.mark.skipif(shutil.which("vtysh") is None, reason="no vtysh (package frr)")
@pytest.mark.parametrize("intent", CONFIGS.values(), ids=CONFIGS.keys())
@pytest.mark.parametrize("name", ["spine-1", "leaf-1"])
def test_frr_takes_it(intent: Intent, name: str, tmp_path: Path) -> None:
    path = tmp_path / "frr.conf"
    path.write_text(files(intent, name)["frr.conf"])
    done = process.run(["vtysh", "-C", "-f", path], deadline=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_whole_configuration_takes_the_place_of_the_generated_one() -> None:
    saved = as_whole("leaf-1", "hostname leaf-1\nrouter bgp 65001\n")
    intent = change_node(sample(), "leaf-1", extra_config=saved)
    assert files(intent, "leaf-1")["frr.conf"] == saved
    assert files(intent, "spine-1") == files(sample(), "spine-1")
