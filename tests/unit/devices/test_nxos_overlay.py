"""Parsers of NX-OS's overlay in text: NVE, l2route, EVPN routes, targets, tenants' tables."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from harness.public_outputs import said
from labctl.devices.facts import INGRESS, VniTargets
from labctl.devices.nxos import evpn, nve, routes


def ips(*texts: str) -> frozenset[IPv4Address]:
    return frozenset(IPv4Address(text) for text in texts)


def test_an_l3_vni_that_is_down_has_its_vrf() -> None:
    (found,) = nve.vnis(said("genie__show_nve_vni_l3_down")).values()
    assert (found.vni.vni, found.vni.layer, found.vni.state) == (3003960, 3, "Down")
    assert found.vni.vrf == "KVTC_TEST_SU_KLAIDA"


def test_vnis_tell_how_they_flood_and_which_vlan_they_are() -> None:
    found = nve.vnis(said("ntc__show_nve_vni"))
    assert [(n, v.vni.layer, v.vni.group, v.bridge) for n, v in found.items()][:2] == [
        (1006, 2, INGRESS, 6),
        (1105, 2, INGRESS, 1105),
    ]
    assert {v.vni.vrf for v in found.values()} == {"", "BLU", "GRN", "AMB", "GRY"}
    assert nve.vnis(said("ntc__show_nve_vni_10_3_4a"))[53001].vni.vrf == "LAN"
    assert set(nve.vnis(said("tsubuan365__show_nve_vni"))) == {100010, 100020}


def test_peers_with_and_without_a_router_mac() -> None:
    text = said("ntc__show_nve_peers")
    found = nve.peers(text + "nve1      192.168.16.1      Down  CP        0.000000 n/a\n")
    assert len(found) == 6
    up, down = found[IPv4Address("192.168.111.47")], found[IPv4Address("192.168.16.1")]
    assert (up.up, up.router_mac) == (True, "24:16:9d:d1:41:17")
    assert (down.up, down.router_mac) == (False, "")


def test_the_nve_interface_tells_its_primary_address() -> None:
    found = nve.nve(said("genie__show_nve_interface_detail_vpc"))
    assert found is not None
    assert (found.name, found.up, found.source) == ("nve1", True, IPv4Address("200.200.200.7"))


FLOODS = """R6# show nve vni ingress-replication
Interface VNI      Replication List  Source  Up Time
--------- -------- ----------------- ------- -------

nve1      10101

nve1      501001   192.168.51.52        BGP-IMET 03:21:19
                   192.168.51.51        BGP-IMET 03:21:19
nxpi1-n9k1#
"""


def test_flood_lists_may_be_empty_or_several_lines_long() -> None:
    assert nve.flood_lists(FLOODS) == {
        10101: frozenset(),
        501001: ips("192.168.51.52", "192.168.51.51"),
    }
    assert nve.flood_lists("") == {}


def test_imet_routes_are_the_remote_ones() -> None:
    text = """Topology ID  VNI         Prod  IP Addr         Eth Tag PMSI-Flags Flags   Type
-----------  ----------- ----- --------------- ------- ---------- ------- ----
201          20001       BGP   10.0.1.12       0       0          -       6
201          20001       VXLAN 10.0.1.11       0       0          -       6
"""
    assert nve.imet(text) == {20001: ips("10.0.1.12")}


def test_macs_are_counted_by_bridge_without_router_macs() -> None:
    assert nve.macs(said("genie__show_l2route_evpn_mac_all")) == {100: 2, 20: 1}


def test_hosts_known_to_l2route() -> None:
    found = nve.mac_ips(said("genie__show_l2route_mac_ip_all_detail"))
    assert [(r.address, r.mac, r.next_hops) for r in found] == [
        ("10.36.10.11", "fa:16:3e:ff:f6:c1", ips("192.168.106.1")),
        ("10.36.10.55", "fa:16:3e:ff:9f:0a", frozenset()),
    ]


def test_the_table_of_evpn_routes_tells_which_were_let_into_which_vni() -> None:
    found = evpn.routes(said("tsubuan365__show_bgp_l2vpn_evpn"))
    floods = [(r.vni, str(r.originator)) for r in found if r.kind == 3]
    assert floods == [
        (None, "10.0.0.11"),
        (100010, "10.0.0.11"),
        (100010, "10.0.0.12"),
        (100020, "10.0.0.12"),
        (100020, "10.0.0.13"),
        (None, "10.0.0.13"),
    ]
    hosts = {(r.address, r.mac) for r in found if r.kind == 2}
    assert ("192.168.10.1", "00:00:00:00:11:11") in hosts
    assert ("", "00:00:00:00:44:44") in hosts
    assert all(route.next_hops for route in found)
    assert all(route.targets == frozenset() for route in found)


def test_the_detail_of_an_evpn_route_tells_its_targets() -> None:
    (route,) = evpn.routes(said("genie__show_bgp_l2vpn_evpn_route_type_5"))
    assert route.prefix == IPv4Network("100.4.1.1/32")
    assert (route.vni, route.targets) == (501004, frozenset({"3:501004"}))
    assert route.next_hops == ips("93.93.93.93")


def test_those_a_route_is_sent_to_are_no_next_hops() -> None:
    text = said("genie__show_bgp_l2vpn_evpn_route_type_5").replace(
        "  Path-id 1 not advertised to any peer",
        "  Path-id 1 advertised to peers:\n    172.16.10.0        172.16.10.2    \n",
    )
    assert evpn.routes(text)[0].next_hops == ips("93.93.93.93")


def test_a_vrf_tells_its_vni_and_its_targets_for_evpn() -> None:
    targets = evpn.vrf(said("genie__show_bgp_process_vrf"))
    assert targets == VniTargets(9100, frozenset({"100:9100"}), frozenset({"100:9100"}))


def test_an_l2_vni_tells_its_targets() -> None:
    text = """-----------------------------------------------
  L2VNI ID                     : 1000 (L2-1000)
  RD                           : 3.3.3.3:32867
  Associated IP-VRF            : tenant-1
  Active Export RT list        :
        65000:1000
  Active Import RT list        :
        65000:1000 65000:99
"""
    targets = evpn.evi(text)
    both = frozenset({"65000:1000", "65000:99"})
    assert targets == VniTargets(1000, both, frozenset({"65000:1000"}))


def test_a_routing_table_tells_protocols_and_vteps() -> None:
    found = {(str(r.prefix), r.protocol): r for r in routes.rib(said("ntc__show_ip_route"))}
    assert found["10.151.0.0/16", "bgp"].next_hops == ips("172.24.0.240")
    assert found["10.10.10.0/24", "connected"].selected
    assert found["2.2.2.2/32", "ospf"].next_hops == ips("10.10.30.2", "10.10.40.2")
    assert found["10.71.0.0/21", "ospf"].next_hops == frozenset()
    assert ("10.10.10.1/32", "local") in found
