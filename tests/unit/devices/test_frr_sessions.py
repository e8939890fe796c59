"""BGP summaries and OSPF neighbours in all the forms FRR prints them."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from labctl.devices.facts import ADMIN_DOWN, DaemonDown, ParseError, Peer
from labctl.devices.frr.sessions import evpn_summary, ipv4_summary, ospf_neighbors

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "frr"
TABLES = sorted(RECORDINGS.glob("*/*__show_bgp_l2vpn_evpn_summary.txt"))


@pytest.mark.parametrize("table", TABLES, ids=lambda p: f"{p.parent.name}-{p.name[:6]}")
def test_table_and_json_say_the_same(table: Path) -> None:
    document = table.with_name(f"{table.stem}_json.json")
    from_json, from_table = evpn_summary(document.read_text()), evpn_summary(table.read_text())
    assert from_json.keys() == from_table.keys()
    for key, peer in from_json.items():
        other = from_table[key]
        assert (peer.asn, peer.state, peer.established) == (
            other.asn,
            other.state,
            other.established,
        )
        if peer.established:
            assert (peer.rcvd, peer.sent) == (other.rcvd, other.sent)


def test_an_address_family_without_neighbors_is_no_error() -> None:
    assert evpn_summary("{}") == {}
    assert evpn_summary("{}\n\n") == {}
    assert evpn_summary("% No BGP neighbors found in VRF default\n") == {}


def test_the_combined_summary_is_taken_apart() -> None:
    both = (
        '{"ipv4Unicast":{"peers":{"eth1":{"remoteAs":65100,"state":"Established","pfxRcd":4}}},'
        '"l2VpnEvpn":{"peers":{"10.0.0.1":{"remoteAs":65000,"state":"Active"}}}}'
    )
    assert ipv4_summary(both) == {"eth1": Peer("eth1", 65100, "Established", 4, None)}
    assert evpn_summary(both) == {"10.0.0.1": Peer("10.0.0.1", 65000, "Active", None, None)}
    assert evpn_summary('{"ipv4Unicast":{"peers":{}}}') == {}


def test_the_combined_table_is_taken_apart() -> None:
    head = "Neighbor  V  AS  MsgRcvd MsgSent TblVer InQ OutQ Up/Down State/PfxRcd PfxSnt Desc\n"
    text = (
        "\nIPv4 Unicast Summary (VRF default):\nBGP router identifier 10.0.0.1, ...\n\n"
        f"{head}leaf-1(eth1) 4 65101 10 11 0 0 0 00:01:02 3 5 N/A\n"
        "\nL2VPN EVPN Summary (VRF default):\nBGP router identifier 10.0.0.1, ...\n\n"
        f"{head}leaf-1(eth1) 4 65101 10 11 0 0 0 00:01:02 7 9 N/A\n"
    )
    assert ipv4_summary(text) == {"eth1": Peer("eth1", 65101, "Established", 3, 5)}
    assert evpn_summary(text) == {"eth1": Peer("eth1", 65101, "Established", 7, 9)}


@pytest.mark.parametrize(
    ("row", "peer"),
    [
        ("10.0.0.1 4 65000 1 2 0 0 0 never Active 0 N/A", ("10.0.0.1", "Active", None, 0)),
        ("(none)(10.0.0.1) 4 65000 1 2 0 0 0 1d02h 0 0 N/A", ("10.0.0.1", "Established", 0, 0)),
        ("a(10.0.0.1) 4 65000 1 2 0 0 0 never Idle (Admin) 0 x", ("10.0.0.1", ADMIN_DOWN, None, 0)),
        ("a(10.0.0.1) 4 65000 1 2 0 0 0 00:00:01 NoNeg NoNeg", ("10.0.0.1", "NoNeg", None, None)),
        (
            "a-name-longer-than-its-column(10.0.0.1)\n   4 65000 1 2 0 0 0 00:00:01 12 6 N/A",
            ("10.0.0.1", "Established", 12, 6),
        ),
    ],
)
def test_rows_of_the_table(row: str, peer: tuple[str, str, int | None, int | None]) -> None:
    (found,) = evpn_summary(f"Neighbor V AS MsgRcvd ...\n{row}\n").values()
    assert (found.key, found.state, found.rcvd, found.sent) == peer


def test_a_session_shut_down_is_told_from_one_that_is_idle() -> None:
    shut = '{"peers":{"a":{"state":"Idle (Admin)"},"b":{"state":"Idle","peerState":"Admin"}}}'
    assert {peer.state for peer in evpn_summary(shut).values()} == {ADMIN_DOWN}
    assert evpn_summary('{"peers":{"a":{"state":"Idle"}}}')["a"].state == "Idle"


@pytest.mark.parametrize("text", ["", "  \n", "what?", "[1, 2]", '{"peers": ', '{"other": 1}', "7"])
def test_anything_else_can_not_be_read(text: str) -> None:
    with pytest.raises(ParseError):
        evpn_summary(text)


def test_a_dead_daemon_is_told_from_garbage() -> None:
    with pytest.raises(DaemonDown, match="bgpd is not running"):
        evpn_summary("bgpd is not running\n")
    with pytest.raises(DaemonDown):
        ospf_neighbors("Exiting: failed to connect to any daemons.\n")


def test_ospf_neighbours_by_interface() -> None:
    text = (RECORDINGS / "healthy" / "leaf1__show_ip_ospf_neighbor_json.json").read_text()
    found = {(a.interface, a.router_id): a.full for a in ospf_neighbors(text)}
    assert found == {
        ("eth1", IPv4Address("10.0.0.1")): True,
        ("eth2", IPv4Address("10.0.0.2")): True,
    }
    older = '{"neighbors":{"10.0.0.1":[{"state":"Init/DROther","ifaceName":"eth1:10.0.0.11"}]}}'
    assert [a.full for a in ospf_neighbors(older)] == [False]
    assert ospf_neighbors("{\n}\n") == ()
