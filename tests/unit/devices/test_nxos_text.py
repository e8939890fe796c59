"""Parsers of NX-OS's text, on outputs others have published (tests/fixtures/nxos/README.md)."""

from __future__ import annotations

import pytest

from harness.public_outputs import said
from labctl.devices.facts import ParseError
from labctl.devices.nxos import evpn, neighbors, nve, routes, system


def test_a_summary_prints_the_prefixes_of_sessions_that_are_up_in_place_of_their_state() -> None:
    peers = neighbors.summary(said("genie__show_bgp_l2vpn_evpn_summary"))
    assert [(p.key, p.asn, p.established, p.rcvd, p.sent) for p in peers.values()] == [
        ("172.16.205.8", 200, True, 0, None),
        ("192.168.234.1", 100, True, 12, None),
        ("90:90:90::3", 500, True, 1200, None),
    ]


def test_a_long_as_number_continues_on_the_next_line() -> None:
    peers = neighbors.summary(said("genie__show_bgp_l2vpn_evpn_summary_4byte_as"))
    assert [(p.key, p.asn, p.rcvd) for p in peers.values()] == [
        ("1.1.1.1", 4444444444, 142),
        ("1.1.1.2", 4444444444, 142),
    ]


def test_a_summary_of_the_virtual_switch_ends_in_its_prompt() -> None:
    peers = neighbors.summary(said("tsubuan365__show_bgp_l2vpn_evpn_summary"))
    assert [(p.key, p.rcvd) for p in peers.values()] == [("10.0.0.1", 6), ("10.0.0.2", 6)]


def test_sessions_that_are_down_keep_their_state() -> None:
    peers = neighbors.summary(said("ntc__show_ip_bgp_summary"))
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
    peer = neighbors.summary(text)["10.0.0.1"]
    assert (peer.state, peer.rcvd) == (state, None)


def test_the_second_table_of_newer_releases_is_no_table_of_sessions() -> None:
    second = "\nNeighbor        T    AS PfxRcd     Type-2     Type-3\n10.0.0.9  I 65501 2   1   1\n"
    peers = neighbors.summary(said("genie__show_bgp_l2vpn_evpn_summary") + second)
    assert "10.0.0.9" not in peers


def test_ospf_neighbours_of_all_vrfs_with_interfaces_in_full() -> None:
    found = neighbors.ospf_neighbors(said("tsubuan365__show_ip_ospf_neighbors"))
    assert [(str(a.router_id), a.interface, a.state, a.full) for a in found] == [
        ("10.0.0.1", "Ethernet1/1", "Full/-", True),
        ("10.0.0.2", "Ethernet1/2", "Full/-", True),
    ]
    every = neighbors.ospf_neighbors(said("ntc__show_ip_ospf_neighbors_vrf_all"))
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


@pytest.mark.parametrize(
    "parse",
    [
        neighbors.summary,
        neighbors.ospf_neighbors,
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
