"""EVPN tables in all the forms FRR prints them."""

from __future__ import annotations

import contextlib
import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.devices.facts import ParseError
from labctl.devices.frr import evpn, sessions
from labctl.devices.frr.evpn import (
    bgp_vnis,
    evpn_routes,
    rib,
    router_macs,
    tenant_vnis,
    vnis,
)
from labctl.devices.linux import parse as linux

HEALTHY = Path(__file__).parents[2] / "fixtures" / "frr" / "healthy"
LEAF2, LEAF3 = IPv4Address("10.0.0.12"), IPv4Address("10.0.0.13")
ONLY_LEAF2, ONLY_LEAF3 = frozenset({LEAF2}), frozenset({LEAF3})


def recorded(name: str) -> str:
    return (HEALTHY / f"leaf1__{name}").read_text()


def test_the_list_the_details_and_a_single_vni_agree() -> None:
    table = vnis(recorded("show_evpn_vni_json.json"))
    details = vnis(recorded("show_evpn_vni_detail_json.json"))
    single = vnis(recorded("show_evpn_vni_10010_json.json"))
    assert table.keys() == details.keys() == {10010, 10020, 50001}
    assert table[10010].remote_vteps == details[10010].remote_vteps == ONLY_LEAF2
    assert single == {10010: details[10010]}
    assert (table[50001].layer, table[50001].remote_vteps) == (3, None)
    assert vnis(recorded("show_evpn_vni_50001_json.json"))[50001].state == "Up"


def test_the_table_gives_counts_but_no_addresses() -> None:
    table = vnis(recorded("show_evpn_vni.txt"))
    assert table.keys() == {10010, 10020, 50001}
    assert (table[10010].remote_count, table[10010].remote_vteps) == (1, None)
    assert table[50001].layer == 3


@pytest.mark.parametrize("text", ["", "\n", "{}", "{\n}\n", "{}\n{\n}\n"])
def test_a_node_without_vnis_prints_next_to_nothing(text: str) -> None:
    assert vnis(text) == {}


@pytest.mark.parametrize(
    ("said", "vteps", "count"),
    [
        ('"numRemoteVteps":0', set(), 0),
        ('"numRemoteVteps":["10.0.0.12"]', {LEAF2}, 1),
        ('"numRemoteVteps":1,"remoteVteps":["10.0.0.12"]', {LEAF2}, 1),
        ('"numRemoteVteps":1,"remoteVteps":[{"ip":"10.0.0.12","flood":"HER"}]', {LEAF2}, 1),
        ('"numMacs":0', set(), 0),
        ('"numRemoteVteps":2', None, 2),
    ],
)
def test_remote_vteps_in_every_release_s_form(
    said: str, vteps: set[IPv4Address] | None, count: int
) -> None:
    vni = vnis(f'{{"7":{{"vni":7,"type":"L2",{said}}}}}')[7]
    assert (vni.remote_vteps, vni.remote_count) == (vteps, count)


def test_route_targets_from_the_list_and_from_one_vni() -> None:
    found = bgp_vnis(recorded("show_bgp_l2vpn_evpn_vni_json.json"))
    assert found.advertise_all is True
    assert found.vnis[10010].imports == found.vnis[10010].exports == {"65000:10010"}
    assert found.vnis.keys() == {10010, 10020, 50001}
    single = bgp_vnis(recorded("show_bgp_l2vpn_evpn_vni_10010_json.json"))
    assert single.vnis == {10010: found.vnis[10010]}
    gone = bgp_vnis('{"7":{"vni":7,"inKernel":"False","importRTs":[]}}')
    assert gone.vnis[7].live is False
    assert gone.advertise_all is None


def test_routes_of_all_types() -> None:
    type3 = evpn_routes(recorded("show_bgp_l2vpn_evpn_route_type_multicast_json.json"))
    assert {(r.originator, t) for r in type3 for t in r.targets} >= {
        (LEAF2, "65000:10010"),
        (LEAF2, "65000:10020"),
    }
    type2 = evpn_routes(recorded("show_bgp_l2vpn_evpn_route_type_macip_json.json"))
    h3 = [route for route in type2 if route.address == "10.1.10.103"]
    assert [(r.mac, r.next_hops) for r in h3] == [("02:aa:00:00:00:03", ONLY_LEAF2)]
    assert any(route.address == "" and route.mac == "02:aa:00:00:00:03" for route in type2)
    type5 = evpn_routes(recorded("show_bgp_l2vpn_evpn_route_type_prefix_json.json"))
    external = [r for r in type5 if r.prefix == IPv4Network("203.0.113.0/24")]
    assert [(r.next_hops, r.targets) for r in external] == [
        (ONLY_LEAF3, frozenset({"65000:50001"}))
    ]


def test_all_routes_at_once_hold_every_type() -> None:
    text = (HEALTHY / "spine1__show_bgp_l2vpn_evpn_json.json").read_text()
    assert {route.kind for route in evpn_routes(text)} == {2, 3, 5}


def test_tenants_router_macs_and_tables() -> None:
    assert tenant_vnis(recorded("show_vrf_vni_json.json"))["TENANT-A"].up
    assert router_macs(recorded("show_evpn_rmac_vni_all_json.json")) == {50001: {LEAF2, LEAF3}}
    table = rib(recorded("show_ip_route_vrf_TENANT_A_json.json"))
    chosen = {str(route.prefix): route.protocol for route in table if route.selected}
    assert chosen["10.1.10.0/24"] == "connected"
    assert chosen["203.0.113.0/24"] == "bgp"


@pytest.mark.parametrize(
    "parse", [bgp_vnis, evpn_routes, tenant_vnis, rib], ids=lambda parse: parse.__name__
)
def test_an_empty_output_is_unreadable_where_frr_always_prints_json(parse: object) -> None:
    assert callable(parse)
    with pytest.raises(ParseError):
        parse("\n")


PARSERS = [
    evpn.vnis,
    evpn.bgp_vnis,
    evpn.evpn_routes,
    evpn.router_macs,
    evpn.tenant_vnis,
    evpn.rib,
    sessions.evpn_summary,
    sessions.ipv4_summary,
    sessions.ospf_neighbors,
    linux.vxlan_devices,
    linux.meminfo,
    linux.ping,
]
_WORDS = """
peers neighbors vrfs vni type numRemoteVteps remoteVteps paths rd nexthops vtepIp importRTs state
extendedCommunity l2VpnEvpn linkinfo info_data id flags 10010 10.0.0.0/8 [3]:[0]:[32]:[10.0.0.1]
[2]:[0]:[48]:[m] [5]:[0]:[99]:[x]
"""
KEYS = st.sampled_from(_WORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(document=JSON | st.text())
def test_parsers_read_or_refuse_whatever_they_are_given(parse: object, document: object) -> None:
    assert callable(parse)
    text = document if isinstance(document, str) else json.dumps(document)
    with contextlib.suppress(ParseError):
        parse(text)
