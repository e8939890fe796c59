"""The whole intent, of the examples and of fabrics made up."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.fabric.addresses import management_subnet
from labctl.fabric.intent import build
from labctl.model.intent import Intent, LinkKind, NodeIntent
from labctl.model.lab import Role
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

EXAMPLES = Path(__file__).parents[3] / "topologies"
PLATFORMS = load_platforms()


def intent_of(text: str) -> Intent:
    lab = load(text, source="f", platforms=PLATFORMS)
    subnet = management_subnet(lab.name, len(lab.nodes), [])
    return build(lab, PLATFORMS, management_subnet=subnet)


def example(name: str) -> Intent:
    return intent_of((EXAMPLES / f"{name}.yaml").read_text())


def addresses(node: NodeIntent) -> Iterator[tuple[str, IPv4Address]]:
    """Every address of a node with the table it is in."""
    for address in (node.loopback, node.vtep):
        if address is not None:
            yield "underlay", address
    for port in node.ports:
        if port.address is not None:
            yield "underlay", port.address.ip
    if node.management is not None:
        yield "underlay", node.management.ip
    for leg in node.legs:
        yield f"network {leg.network.name}", leg.address.ip


def peers_by_loopback(intent: Intent) -> dict[str, list[str]]:
    return {name: [peer.key for peer in node.peers] for name, node in intent.nodes.items()}


def test_ospf_has_ibgp_between_loopbacks_with_reflecting_spines() -> None:
    intent = example("evpn-2x2")
    assert peers_by_loopback(intent) == {
        "spine-1": ["10.0.0.11", "10.0.0.12"],
        "spine-2": ["10.0.0.11", "10.0.0.12"],
        "leaf-1": ["10.0.0.1", "10.0.0.2"],
        "leaf-2": ["10.0.0.1", "10.0.0.2"],
        "host-1": [],
        "host-2": [],
    }
    for node in intent.nodes.values():
        for peer in node.peers:
            assert (peer.asn, peer.evpn, peer.ipv4) == (65000, True, False)
            assert peer.route_reflector_client is (node.node.role is Role.SPINE)


def test_the_demo_has_a_pair_in_one_vni_and_a_pair_across() -> None:
    intent = example("evpn-2x2")
    legs = {
        name: [(leg.network.name, str(leg.address), leg.vlan, leg.vrf) for leg in node.legs]
        for name, node in intent.nodes.items()
        if node.legs
    }
    assert legs == {
        "host-1": [("web", "10.10.10.11/24", None, ""), ("db", "10.10.20.11/24", 20, "db")],
        "host-2": [("web", "10.10.10.12/24", None, "")],
    }
    leaf_1, leaf_2 = intent.nodes["leaf-1"], intent.nodes["leaf-2"]
    assert [(v.network.name, v.ports, v.tagged_ports) for v in leaf_1.l2vnis] == [
        ("web", ("eth3",), ()),
        ("db", (), ("eth3",)),
    ]
    assert [set(vni.remote_vteps) for vni in leaf_1.l2vnis] == [{IPv4Address("10.0.1.12")}, set()]
    assert leaf_1.l3vnis[0].prefixes_expected == {IPv4Network("10.10.10.0/24")}
    assert leaf_2.l3vnis[0].prefixes_expected == {
        IPv4Network("10.10.10.0/24"),
        IPv4Network("10.10.20.0/24"),
    }
    assert leaf_1.l3vnis[0].route_target == "65000:50001"
    assert leaf_1.l3vnis[0].router_mac != leaf_2.l3vnis[0].router_mac


def test_ebgp_numbered_peers_by_address() -> None:
    intent = example("ebgp-numbered")
    leaf = intent.nodes["leaf-1"]
    assert leaf.asn == 65011
    assert [(p.node, p.asn, p.key, p.evpn, p.ipv4) for p in leaf.peers] == [
        ("spine-1", 65100, "10.9.0.0", True, True),
        ("spine-2", 65100, "10.9.8.0", True, True),
    ]
    assert [(p.asn, p.key) for p in intent.nodes["spine-2"].peers] == [
        (65011, "10.9.8.1"),
        (65012, "10.9.8.3"),
    ]


def test_ebgp_unnumbered_peers_by_interface() -> None:
    intent = example("ebgp-unnumbered")
    peers = intent.nodes["spine-1"].peers
    assert [(p.node, p.address, p.interface) for p in peers] == [
        ("leaf-1", None, "eth1"),
        ("leaf-2", None, "eth2"),
    ]


def test_borders_have_every_vrf_and_originate_a_default() -> None:
    intent = example("border")
    border = intent.nodes["border-1"]
    assert border.l2vnis == ()
    assert [(vni.vrf.name, vni.table, vni.default_route) for vni in border.l3vnis] == [
        ("tenant-a", 1001, True),
        ("tenant-b", 1002, True),
    ]
    assert border.l3vnis[1].prefixes_expected == {IPv4Network("10.20.20.0/24")}
    default = IPv4Network("0.0.0.0/0")
    assert all(default in vni.prefixes_expected for vni in intent.nodes["leaf-2"].l3vnis)
    assert [vni.vrf.name for vni in intent.nodes["leaf-1"].l3vnis] == ["tenant-a"]


def test_tenants_stay_apart() -> None:
    leaf = example("multi-tenant").nodes["leaf-1"]
    assert [(vni.vrf.name, vni.table) for vni in leaf.l3vnis] == [
        ("red", 1001),
        ("blue", 1002),
        ("shared", 1003),
    ]
    assert leaf.l3vnis[2].remote_vteps == set()
    assert leaf.l3vnis[2].prefixes_expected == set()
    host = example("multi-tenant").nodes["host-2"]
    assert [leg.network.name for leg in host.legs] == ["red-db", "blue-web"]


def test_a_fabric_written_out_keeps_its_own_names_addresses_and_wires() -> None:
    intent = example("written-out")
    leaf = intent.nodes["leaf3"]
    assert (str(leaf.loopback), str(leaf.vtep)) == ("10.0.0.13", "10.0.1.13")
    assert leaf.node.extra_config.startswith("ip prefix-list OUTSIDE")
    kinds = [(port.name, port.number, port.far.node, port.kind) for port in leaf.ports]
    assert kinds == [
        ("eth1", 1, "spine1", LinkKind.FABRIC),
        ("eth2", 2, "spine2", LinkKind.FABRIC),
        ("eth4", 4, "leaf1", LinkKind.EXTRA),
    ]
    assert set(leaf.mac_by_nic) == {0, 1, 2, 4}
    assert [leg.network.name for leg in intent.nodes["h2"].legs] == ["db"]


def test_without_management_nobody_has_an_address_there() -> None:
    lab = load((EXAMPLES / "border.yaml").read_text(), source="f", platforms=PLATFORMS)
    nodes = build(lab, PLATFORMS, management_subnet=None).nodes.values()
    assert {(node.management, node.management_gateway) for node in nodes} == {(None, None)}


def test_a_tight_management_subnet_serves_all() -> None:
    lab = load((EXAMPLES / "border.yaml").read_text(), source="f", platforms=PLATFORMS)
    subnet = IPv4Network("192.0.2.0/28")
    nodes = build(lab, PLATFORMS, management_subnet=subnet).nodes.values()
    given_out = {node.management.ip for node in nodes if node.management}
    assert len(given_out) == len(lab.nodes)
    assert given_out <= set(list(subnet.hosts())[1:])


FABRICS = st.fixed_dictionaries(
    {
        "spines": st.integers(1, 5),
        "leaves": st.integers(1, 6),
        "borders": st.integers(0, 3),
        "hosts_per_leaf": st.integers(0, 2),
    }
)
STYLES = st.tuples(st.sampled_from(["ospf", "ebgp"]), st.sampled_from(["numbered", "unnumbered"]))
TENANT = """\
  vrfs:
  - name: red
    vni: 50001
    networks:
    - {{name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}}
    - {{name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24, on: [{}]}}
"""


def text_of(counts: dict[str, int], style: tuple[str, str], on: set[int]) -> str:
    leaves = ", ".join(f"leaf-{n}" for n in sorted(on) if n <= counts["leaves"])
    lines = "".join(f"  {key}: {value}\n" for key, value in counts.items())
    underlay = f"  underlay: {{routing: {style[0]}, links: {style[1]}}}\n"
    return f"lab: made-up\nfabric:\n{lines}{underlay}{TENANT.format(leaves)}"


@settings(deadline=None, max_examples=60)
@given(FABRICS, STYLES, st.sets(st.integers(1, 6)))
def test_invariants_of_any_fabric(
    counts: dict[str, int], style: tuple[str, str], on: set[int]
) -> None:
    intent = intent_of(text_of(counts, style, on))
    seen = [pair for node in intent.nodes.values() for pair in addresses(node)]
    assert len(seen) == len(set(seen))
    macs = [mac for node in intent.nodes.values() for mac in node.mac_by_nic.values()]
    assert len(macs) == len(set(macs))
    for name, node in intent.nodes.items():
        check_sessions(intent, name, node)
        check_vteps(intent, node)
        check_prefixes(intent, node)


def check_sessions(intent: Intent, name: str, node: NodeIntent) -> None:
    """Both ends of a session want it, and know each other's AS."""
    for peer in node.peers:
        far = intent.nodes[peer.node]
        assert peer.asn == far.asn
        assert name in [back.node for back in far.peers]
        if peer.address is not None:
            assert peer.address in [address for _, address in addresses(far)]


def check_vteps(intent: Intent, node: NodeIntent) -> None:
    """Who carries a VNI sees all others that do."""
    others = [other for other in intent.nodes.values() if other is not node]
    for l2 in node.l2vnis:
        carriers = {o.vtep for o in others for vni in o.l2vnis if vni.network is l2.network}
        assert set(l2.remote_vteps) == carriers
    for l3 in node.l3vnis:
        assert set(l3.remote_vteps) == {o.vtep for o in others if o.l3vnis}


def check_prefixes(intent: Intent, node: NodeIntent) -> None:
    """Type-5 routes: what others have connected, and borders' default."""
    for l3 in node.l3vnis:
        expected = set()
        for other in intent.nodes.values():
            if other is not node:
                expected |= {vni.network.gateway.network for vni in other.l2vnis}
                if other.node.role is Role.BORDER:
                    expected.add(IPv4Network("0.0.0.0/0"))
        assert l3.prefixes_expected == expected


@settings(deadline=None, max_examples=40)
@given(FABRICS, STYLES, st.sampled_from(["spines", "leaves", "borders"]))
def test_one_more_switch_moves_nobodys_address(
    counts: dict[str, int], style: tuple[str, str], more: str
) -> None:
    before = intent_of(text_of(counts, style, {1}))
    after = intent_of(text_of({**counts, more: counts[more] + 1}, style, {1}))
    for name, node in before.nodes.items():
        assert set(addresses(node)) <= set(addresses(after.nodes[name])), name
        assert after.nodes[name].asn == node.asn
        if node.node.role is not Role.HOST and more == "leaves":
            kept = {port.name: port.far for port in after.nodes[name].ports}
            assert {port.name: port.far for port in node.ports}.items() <= kept.items()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_same_file_gives_the_same_intent(path: Path) -> None:
    assert repr(intent_of(path.read_text())) == repr(intent_of(path.read_text()))
