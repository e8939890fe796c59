"""Parsers of NX-OS's text, on outputs others have published (tests/fixtures/nxos/README.md)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from labctl.devices.facts import INGRESS, ParseError, VniTargets
from labctl.devices.nxos import evpn, nve, routes, sessions, system

PUBLIC = Path(__file__).parents[2] / "fixtures" / "nxos" / "public"


def said(name: str) -> str:
    return (PUBLIC / f"{name}.txt").read_text()


def ips(*texts: str) -> frozenset[IPv4Address]:
    return frozenset(IPv4Address(text) for text in texts)


def test_a_summary_prints_the_prefixes_of_sessions_that_are_up_in_place_of_their_state() -> None:
    peers = sessions.summary(said("genie__show_bgp_l2vpn_evpn_summary"))
    assert [(p.key, p.asn, p.established, p.rcvd, p.sent) for p in peers.values()] == [
        ("172.16.205.8", 200, True, 0, None),
        ("192.168.234.1", 100, True, 12, None),
        ("90:90:90::3", 500, True, 1200, None),
    ]


def test_a_long_as_number_continues_on_the_next_line() -> None:
    peers = sessions.summary(said("genie__show_bgp_l2vpn_evpn_summary_4byte_as"))
    assert [(p.key, p.asn, p.rcvd) for p in peers.values()] == [
        ("1.1.1.1", 4444444444, 142),
        ("1.1.1.2", 4444444444, 142),
    ]


def test_a_summary_of_the_virtual_switch_ends_in_its_prompt() -> None:
    peers = sessions.summary(said("tsubuan365__show_bgp_l2vpn_evpn_summary"))
    assert [(p.key, p.rcvd) for p in peers.values()] == [("10.0.0.1", 6), ("10.0.0.2", 6)]


def test_sessions_that_are_down_keep_their_state() -> None:
    peers = sessions.summary(said("ntc__show_ip_bgp_summary"))
    assert peers["10.0.0.100"].state == "Idle"
    assert peers["10.0.0.10"].state == "Idle (Admin)"
    assert (peers["10.0.0.11"].asn, peers["10.0.0.11"].rcvd) == (65010, 4452)


@pytest.mark.parametrize(
    ("column", "state"),
    [
        ("Shut (Admin)", "Idle (Admin)"),
        ("Idle (PfxCt)", "Idle (PfxCt)"),
        ("OpenSent", "OpenSent"),
        ("Active", "Active"),
    ],
)
def test_states_of_sessions_are_called_alike_for_all_devices(column: str, state: str) -> None:
    text = said("tsubuan365__show_bgp_l2vpn_evpn_summary").replace(
        "00:34:09 6  ", f"never {column}"
    )
    peer = sessions.summary(text)["10.0.0.1"]
    assert (peer.state, peer.rcvd) == (state, None)


def test_the_second_table_of_newer_releases_is_no_table_of_sessions() -> None:
    second = "\nNeighbor        T    AS PfxRcd     Type-2     Type-3\n10.0.0.9  I 65501 2   1   1\n"
    peers = sessions.summary(said("genie__show_bgp_l2vpn_evpn_summary") + second)
    assert "10.0.0.9" not in peers


def test_ospf_neighbours_of_all_vrfs_with_interfaces_in_full() -> None:
    found = sessions.ospf_neighbors(said("tsubuan365__show_ip_ospf_neighbors"))
    assert [(str(a.router_id), a.interface, a.state, a.full) for a in found] == [
        ("10.0.0.1", "Ethernet1/1", "Full/-", True),
        ("10.0.0.2", "Ethernet1/2", "Full/-", True),
    ]
    every = sessions.ospf_neighbors(said("ntc__show_ip_ospf_neighbors_vrf_all"))
    assert [a.full for a in every] == [True, True, True, True, True, False]
    assert (every[-1].interface, every[-1].state) == ("Po4", "Init/DROTHER")


def test_versions_tell_memory_release_and_image() -> None:
    assert system.version(said("ntc__show_version_9_3")) == system.Version(
        8154104, "9.3(15)", "bootflash:///nxos.9.3.15.bin"
    )
    assert system.version(said("genie__show_version_10_2")).release == "10.2(3)"


def test_resources_tell_what_is_free_and_whether_that_is_well() -> None:
    text = said("genie__show_system_resources")
    memory = system.resources(text)
    assert (memory.total, memory.available, memory.alert) == (5873172, 1683520, "")
    assert (
        system.resources(text.replace("status: OK", "status: MINOR ALERT")).alert == "MINOR ALERT"
    )


def test_the_boot_variable_is_that_of_the_next_reload() -> None:
    older = said("genie__show_boot_n7k")
    assert system.boot(older).startswith("slot0:/n7000-s2-dk10")
    now, _, later = older.partition("Boot Variables on next reload:")
    unset = "\n".join(line for line in later.splitlines() if "variable =" not in line)
    assert system.boot(f"{now}Boot Variables on next reload:\n{unset}") == ""
    nexus = older.replace("system variable = slot0:/", "NXOS variable = bootflash:/")
    assert system.boot(nexus).startswith("bootflash:/n7000")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (said("genie__show_vdc_resource_detail"), 248),
        ("vdc leaf-1 id 1\n  limit-resource u4route-mem minimum 128 maximum 128\n", 128),
    ],
)
def test_the_route_limit_is_in_a_table_and_in_the_configuration(text: str, limit: int) -> None:
    assert system.route_memory(text) == limit


@pytest.mark.parametrize(
    ("line", "complains"),
    [
        ("%PLATFORM-2-MEMORY_ALERT: Memory Status Alert : MINOR. Usage 86% of Available", True),
        ("%PLATFORM-2-MEMORY_ALERT: Memory Status Alert : MINOR ALERT RECOVERED. Usage 84%", False),
        ("%KERN-1-SYSTEM_MSG: [1234.5] Out of memory: Kill process 4242 (bgp)", True),
        ("Memory limit 3.8GB detected. Limiting routing table to 4k routes", True),
        ("Bad Partition bootflash size 4G too small < min 8G", False),
        ("Sysconf checksum failed. Using default values", False),
    ],
)
def test_logs_are_searched_for_too_little_memory_only(line: str, *, complains: bool) -> None:
    assert bool(system.complaints(f"2026 Jan  1 00:00:00 leaf-1 {line}\n")) is complains


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


@pytest.mark.parametrize(
    "parse",
    [
        sessions.summary,
        sessions.ospf_neighbors,
        system.version,
        system.resources,
        system.boot,
        system.route_memory,
        system.complaints,
        system.arp_tcam,
        system.arp_suppression,
        nve.nve,
        nve.peers,
        nve.vnis,
        nve.flood_lists,
        nve.imet,
        nve.macs,
        nve.mac_ips,
        evpn.routes,
        evpn.evi,
        evpn.vrf,
        routes.rib,
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "                 ^\n% Invalid command at '^' marker.\n",
        "ERROR: VRF tenant-a does not exist\n",
        '{"jsonrpc": "2.0", "error": {"code": 501, "message": "no structured output"}, "id": 1}',
        '{"TABLE_vrf": {"ROW_vrf": [',
    ],
)
def test_what_a_switch_refuses_is_never_taken_for_an_empty_table(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(ParseError):
        parse(text)
