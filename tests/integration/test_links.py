"""Wires between guests carry what a cable carries, and nothing leaks from one lab to another.

Two labs with the same node names run side by side for all tests of this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from labctl.hypervisor.api import ObservedDomain
from labctl.model.intent import FABRIC_MTU

from .conftest import Labctl

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(900)]

LABS = ("wires", "wires-too")
WIRES = """\
lab: {lab}
management: false
nodes:
  a: {{role: host}}
  b: {{role: host}}
links:
  - [a:eth1, b:eth1]
  - [a:eth2, b:eth2]
"""
_IP_AND_ICMP_HEADERS = 28
ADDRESSES = {"a": "192.0.2.1", "b": "192.0.2.2"}
ENSLAVE = (
    "ip link add bond0 type bond mode 802.3ad miimon 100 lacp_rate fast && "
    "for port in eth1 eth2; do ip address flush dev $port; "
    "ip link set $port down; ip link set $port master bond0; done; "
    "ip link set bond0 up && ip address add {address}/24 dev bond0"
)


@pytest.fixture(scope="module")
def topologies(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wires")
    for lab in LABS:
        (folder / f"{lab}.yaml").write_text(WIRES.format(lab=lab))
    return [folder / f"{lab}.yaml" for lab in LABS]


@pytest.fixture(scope="module")
def wires(labctl: Labctl, topologies: list[Path]) -> Iterator[Labctl]:
    """Both labs, brought up at the same time: what they take must not collide."""
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda path: labctl("up", str(path)), topologies))
        yield labctl
    finally:
        for lab in LABS:
            labctl("destroy", lab, "--yes")


def domains(labctl: Labctl, lab: str) -> list[ObservedDomain]:
    with closing(labctl.hypervisor()) as hypervisor:
        return [d for d in hypervisor.domains() if d.metadata and d.metadata.lab == lab]


def carrier(labctl: Labctl, node: str, port: str) -> str:
    return labctl.shell(LABS[0], node, f"cat /sys/class/net/{port}/carrier").strip()


def listen(labctl: Labctl, lab: str, node: str, port: str) -> None:
    """Start a capture of LLDP frames; returns once it listens."""
    labctl.shell(
        lab,
        node,
        f"tcpdump -lnei {port} ether proto 0x88cc >/tmp/seen 2>/tmp/state </dev/null & "
        "until grep -q 'listening on' /tmp/state; do sleep 0.2; done",
    )


def send_lldp(labctl: Labctl, lab: str, node: str, port: str, last_byte: int) -> None:
    """One LLDP frame (IEEE 802.1AB: chassis ID, port ID, TTL, end) from a MAC of its own."""
    mac = rf"\x52\x54\x00\x00\x00\x{last_byte:02x}"
    frame = (
        rf"\x01\x80\xc2\x00\x00\x0e{mac}\x88\xcc\x02\x07\x04{mac}"
        rf"\x04\x05\x05eth1\x06\x02\x00\x78\x00\x00"
    )
    labctl.shell(lab, node, f"printf '{frame}' | socat -u - INTERFACE:{port}")


def heard(labctl: Labctl, lab: str, node: str, until: str) -> str:
    """What the capture has, once it has `until`."""
    return labctl.shell(
        lab, node, f"until grep -q '{until}' /tmp/seen; do sleep 0.2; done; cat /tmp/seen"
    )


def test_labs_of_the_same_node_names_share_nothing(wires: Labctl) -> None:
    first, second = (domains(wires, lab) for lab in LABS)
    for pick in (
        lambda d: {d.name},
        lambda d: {d.uuid},
        lambda d: set(d.macs),
        lambda d: {end.local for end in d.udp},
        lambda d: set(d.disks),
    ):
        ours, theirs = (set[object]().union(*map(pick, found)) for found in (first, second))
        assert ours
        assert not ours & theirs


def test_lldp_passes_and_stays_in_its_lab(wires: Labctl) -> None:
    macs = {LABS[0]: "52:54:00:00:00:01", LABS[1]: "52:54:00:00:00:02"}
    for lab in LABS:
        listen(wires, lab, "b", "eth1")
    for byte, lab in enumerate(LABS, 1):
        send_lldp(wires, lab, "a", "eth1", byte)
    for lab, other in (LABS, LABS[::-1]):
        seen = heard(wires, lab, "b", macs[lab])
        assert f"{macs[lab]} > 01:80:c2:00:00:0e" in seen
        assert "LLDP" in seen
        assert macs[other] not in seen


def test_jumbo_frames_pass(wires: Labctl) -> None:
    for node, address in ADDRESSES.items():
        wires.shell(LABS[0], node, f"ip address add {address}/24 dev eth1")
    for size in (8972, FABRIC_MTU - _IP_AND_ICMP_HEADERS):
        said = wires.shell(LABS[0], "a", f"ping -c 2 -M do -s {size} {ADDRESSES['b']}")
        assert f"{size + 8} bytes from" in said
        assert " 0% packet loss" in said


def test_a_pulled_cable_takes_the_carrier_away(wires: Labctl) -> None:
    assert "down" in wires("link", LABS[0], "a:eth2", "down")
    assert carrier(wires, "a", "eth2") == "0"
    assert carrier(wires, "a", "eth1") == "1"
    wires("link", LABS[0], "a:eth2", "up")
    assert carrier(wires, "a", "eth2") == "1"


def test_link_of_no_such_port_is_refused(wires: Labctl) -> None:
    wires("link", LABS[0], "a:eth9", "down", expect=2)


def test_lacp_bundles_both_links(wires: Labctl) -> None:
    assert {wires.shell(LABS[0], "a", f"cat /sys/class/net/eth{n}/duplex") for n in (1, 2)} == {
        "full\n"
    }
    for node, address in ADDRESSES.items():
        wires.shell(LABS[0], node, ENSLAVE.format(address=address))
    macs = {
        node: wires.shell(LABS[0], node, "cat /sys/class/net/bond0/address").strip()
        for node in ADDRESSES
    }
    for node, partner in (("a", macs["b"]), ("b", macs["a"])):
        state = wires.shell(
            LABS[0],
            node,
            f"until grep -q 'Partner Mac Address: {partner}' /proc/net/bonding/bond0; "
            "do sleep 0.5; done; cat /proc/net/bonding/bond0",
        )
        assert "Number of ports: 2" in state
    wires.shell(LABS[0], "a", f"ping -c 2 {ADDRESSES['b']}")


def test_neither_lab_leaves_a_machine(wires: Labctl) -> None:
    for lab in LABS:
        wires("destroy", lab, "--yes")
    assert wires.machines() == {}
