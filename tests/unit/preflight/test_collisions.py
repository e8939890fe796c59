"""What others have already: names, UUIDs, MACs, ports, subnets."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from harness.quiet_host import domain, of, quiet_host, the
from harness.samples import SUBNET, ports
from labctl.hypervisor.api import DomainState, ObservedNetwork
from labctl.model.finding import Severity
from labctl.model.identity import bridge_name, domain_uuid, mac_address
from labctl.preflight.checks import check
from labctl.preflight.facts import Facts, Route

REFUSE, OK = Severity.REFUSE, Severity.OK


@pytest.fixture
def facts() -> Facts:
    return quiet_host()


def test_a_domain_of_the_same_name_that_isnt_ours(facts: Facts) -> None:
    for other in (domain("sample.leaf-1"), domain("sample.leaf-1", lab="another")):
        finding = the(replace(facts, domains=(other,)), "domains")
        assert (finding.severity, finding.nodes) == (REFUSE, ("leaf-1",))
    own = domain("sample.leaf-1", lab="sample", uuid=str(domain_uuid("sample", "leaf-1")))
    assert the(replace(facts, domains=(own,)), "domains").severity is OK


def test_a_uuid_somebody_else_has(facts: Facts) -> None:
    other = domain("thing", uuid=str(domain_uuid("sample", "spine-1")))
    finding = the(replace(facts, domains=(other,)), "domains")
    assert (finding.severity, finding.nodes) == (REFUSE, ("spine-1",))


def test_a_lab_of_this_name_made_in_another_folder(facts: Facts) -> None:
    here = domain(
        "sample.leaf-1", lab="sample", disks=("/srv/labctl/labs/sample/nodes/leaf-1/disk.qcow2",)
    )
    assert the(replace(facts, domains=(here,)), "domains").severity is OK
    there = here._replace(disks=("/home/bob/labs/sample/nodes/leaf-1/disk.qcow2",))
    finding = the(replace(facts, domains=(there,)), "domains")
    assert finding.severity is REFUSE
    assert "/home/bob" in finding.message


def test_a_mac_somebody_else_has(facts: Facts) -> None:
    mac = mac_address("sample", "leaf-1", 2)
    finding = the(replace(facts, domains=(domain(macs=("52:54:00:00:00:01", mac)),)), "macs")
    assert finding.severity is REFUSE
    assert mac in finding.message
    own = domain("sample.leaf-1", lab="sample", macs=(mac,))
    assert the(replace(facts, domains=(own,)), "macs").severity is OK


def test_udp_ports_of_other_labs_and_programs(facts: Facts) -> None:
    first, second, *_ = ports().values()
    other = domain(lab="other", ports=(first,), state=DomainState.SHUT_OFF)
    finding = the(replace(facts, domains=(other,), udp_in_use=frozenset({second})), "udp ports")
    assert finding.severity is REFUSE
    assert finding.evidence["ports"] == sorted((first, second))
    assert "by domain other.leaf-1" in finding.message
    assert "by another program" in finding.message


def test_its_own_running_machines_ports_are_free(facts: Facts) -> None:
    taken = tuple(ports().values())
    own = domain("sample.leaf-1", lab="sample", ports=taken)
    up = replace(facts, domains=(own,), udp_in_use=frozenset(taken))
    assert the(up, "udp ports").severity is OK


def network(**changes: object) -> ObservedNetwork:
    plain = ObservedNetwork("default", "u", True, "virbr0", ("192.168.122.0/24",), None)
    return plain._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (network(name="labctl-sample"), "the name labctl-sample"),
        (network(bridge=bridge_name("sample")), f"the bridge {bridge_name('sample')}"),
        (network(subnets=("10.0.0.0/24", "198.18.0.0/16")), "overlaps 198.18.0.0/16"),
        (network(subnets=(str(SUBNET),), active=False, lab="other"), "overlaps"),
    ],
)
def test_management_networks_that_clash(facts: Facts, other: ObservedNetwork, words: str) -> None:
    finding = the(replace(facts, networks=(network(), other)), "management")
    assert finding.severity is REFUSE
    assert words in finding.message


def test_the_labs_own_network_is_no_clash(facts: Facts) -> None:
    bridge = bridge_name("sample")
    own = network(name="labctl-sample", bridge=bridge, subnets=(str(SUBNET),), lab="sample")
    six = network(subnets=("fd00::/64",))
    up = replace(facts, networks=(own, six), routes=(Route(SUBNET, bridge),))
    assert the(up, "management").severity is OK


def test_host_routes_that_clash(facts: Facts) -> None:
    default = Route(IPv4Network("0.0.0.0/0"), "eth0")
    beside = Route(IPv4Network("198.19.0.0/24"), "eth0")
    assert the(replace(facts, routes=(default, beside)), "management").severity is OK
    over = Route(IPv4Network("198.18.0.0/15"), "tun0")
    assert (
        "which the host reaches by tun0"
        in the(replace(facts, routes=(over,)), "management").message
    )
    left = Route(SUBNET, bridge_name("sample"))
    assert "that no network owns" in the(replace(facts, routes=(left,)), "management").message


def test_without_a_management_network_none_is_checked(facts: Facts) -> None:
    bare = replace(facts, intent=replace(facts.intent, management_subnet=None))
    assert of(check(bare), "management") == []
