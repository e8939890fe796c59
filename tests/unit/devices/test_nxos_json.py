"""NX-OS's JSON: one row or many, empty tables, numbers as text, NX-API's frame."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from typing import Any

import pytest

from labctl.devices.facts import DaemonDown, ParseError
from labctl.devices.nxos import evpn, neighbors, nve, routes, system
from labctl.devices.nxos.jsontext import document, rows
from labctl.devices.nxos.names import interface, mac, protocol

PEER = {"if-name": "nve1", "peer-ip": "10.0.1.12", "peer-state": "Up", "router-mac": "n/a"}
OTHER = {**PEER, "peer-ip": "10.0.1.13", "router-mac": "5002.0000.1b08"}


def peers(row: Any) -> str:
    return json.dumps({"TABLE_nve_peers": {"ROW_nve_peers": row}})


def test_one_row_is_an_object_and_many_are_a_list() -> None:
    assert set(nve.peers(peers(PEER))) == {IPv4Address("10.0.1.12")}
    assert set(nve.peers(peers([PEER, OTHER]))) == {
        IPv4Address("10.0.1.12"),
        IPv4Address("10.0.1.13"),
    }


@pytest.mark.parametrize("text", ["", "\n", "{}"])
def test_an_empty_table_is_left_out_or_no_output_at_all(text: str) -> None:
    assert nve.peers(text) == {}
    assert nve.vnis(text) == {}
    assert nve.macs(text) == {}
    assert nve.mac_ips(text) == ()
    assert nve.nve(text) is None
    assert neighbors.ospf_neighbors(text) == ()


@pytest.mark.parametrize("text", ["", "{}"])
def test_what_always_prints_something_is_not_empty(text: str) -> None:
    for parse in (
        neighbors.summary,
        system.version,
        system.resources,
        evpn.routes,
        routes.rib,
    ):
        with pytest.raises(ParseError):
            parse(text)


def test_rows_of_nested_tables() -> None:
    inner = {"TABLE_b": {"ROW_b": {"x": 1}}}
    assert list(rows({"TABLE_a": {"ROW_a": [inner, inner]}}, "a", "b")) == [{"x": 1}, {"x": 1}]
    assert list(rows({"TABLE_a": [{"ROW_a": inner}]}, "a", "b")) == [{"x": 1}]
    assert list(rows({"TABLE_a": "odd"}, "a", "b")) == []


@pytest.mark.parametrize(
    "frame",
    [
        '{"jsonrpc": "2.0", "result": {"body": %s}, "id": 1}',
        '{"ins_api": {"outputs": {"output": {"code": "200", "msg": "Success", "body": %s}}}}',
        "leaf-1# show nve peers | json\n%s\nleaf-1# ",
        "%s",
    ],
)
def test_the_frame_of_nx_api_and_prompts_around_are_taken_off(frame: str) -> None:
    assert document(frame % '{"a": "1"}') == {"a": "1"}


@pytest.mark.parametrize(
    "text",
    [
        '{"ins_api": {"outputs": {"output": {"code": "501", "msg": "unsupported"}}}}',
        '{"jsonrpc": "2.0", "error": {"code": -32602, "message": "Invalid params"}, "id": 1}',
        "% Invalid command\n",
        "leaf-1# show nve peers\n    ^\n% Invalid command at '^' marker.\n",
    ],
)
def test_errors_in_any_dress_are_no_answer(text: str) -> None:
    with pytest.raises(ParseError, match="the switch says"):
        document(text)


def test_a_process_that_does_not_run_is_a_daemon_down() -> None:
    with pytest.raises(DaemonDown):
        neighbors.summary("Note:  process currently not running\n")


def test_numbers_are_read_from_strings_and_numbers() -> None:
    for memory in ("8163456", 8163456):
        text = json.dumps({"memory": memory, "kickstart_ver_str": "7.0(3)I5(1)"})
        assert system.version(text) == system.Version(8163456, "7.0(3)I5(1)", "")


def test_a_session_in_json() -> None:
    row = {"neighborid": "10.0.0.1", "neighboras": "65000", "state": "Established"}
    table = {"TABLE_neighbor": {"ROW_neighbor": {**row, "prefixreceived": "6"}}}
    family = {"TABLE_af": {"ROW_af": {"TABLE_saf": {"ROW_saf": table}}}}
    peer = neighbors.summary(json.dumps({"TABLE_vrf": {"ROW_vrf": family}}))["10.0.0.1"]
    assert (peer.asn, peer.established, peer.rcvd) == (65000, True, 6)


def test_a_router_without_neighbors_says_so_in_its_frame() -> None:
    assert (
        neighbors.summary(json.dumps({"TABLE_vrf": {"ROW_vrf": {"vrf-name-out": "default"}}})) == {}
    )


def test_an_evpn_route_in_json_with_its_targets() -> None:
    community = "Extcommunity: RT:100:2097152 ENCAP:8 Router MAC:0200.640a.0002"
    path = {
        "ipnexthop": "100.10.0.2",
        "TABLE_extcommunity": {"ROW_extcommunity": {"extcommunity": community}},
    }
    prefix = {
        "nonipprefix": "[5]:[0]:[0]:[16]:[50.20.0.0]/224",
        "TABLE_path": {"ROW_path": [path, path]},
    }
    rd = {"rd_val": "101:2097152", "TABLE_prefix": {"ROW_prefix": prefix}}
    safi = {"TABLE_safi": {"ROW_safi": {"TABLE_rd": {"ROW_rd": rd}}}}
    vrf = {"TABLE_vrf": {"ROW_vrf": {"TABLE_afi": {"ROW_afi": safi}}}}
    (route,) = evpn.routes(json.dumps(vrf))
    assert (route.kind, str(route.prefix), route.vni) == (5, "50.20.0.0/16", None)
    assert (route.rd, route.targets) == ("101:2097152", frozenset({"100:2097152"}))


def test_tcam_in_json() -> None:
    sizes = {
        "ROW_Sizes": [{"type": "Ingress ARP-Ether ACL [arp-ether] size = ", "tcam_size": "256"}]
    }
    assert system.arp_tcam(json.dumps({"TCAM_Region": {"TABLE_Sizes": sizes}})) == 256


def test_names_are_written_as_elsewhere() -> None:
    assert interface("Eth1/1") == "Ethernet1/1"
    assert interface("Ethernet1/1") == "Ethernet1/1"
    assert interface("Po1") == "Po1"
    assert mac("0000.2222.3333") == "00:00:22:22:33:33"
    assert mac("n/a") == ""
    assert [protocol(name) for name in ("bgp-65000", "direct", "hmm")] == [
        "bgp",
        "connected",
        "host",
    ]
