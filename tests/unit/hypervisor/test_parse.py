"""XML forms that libvirt writes and the contract's tiny domains don't have."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from labctl.hypervisor import parse
from labctl.hypervisor.api import DomainState, ObservedDomain


def domain(body: str) -> ObservedDomain:
    xml = f"<domain><name>n</name><uuid>u</uuid>{body}</domain>"
    return parse.observed_domain(xml, DomainState.RUNNING)


@pytest.mark.parametrize(
    ("memory", "mebibytes"),
    [
        ("<memory>8388608</memory>", 8192),
        ("<memory unit='KiB'>1048576</memory>", 1024),
        ("<memory unit='MiB'>384</memory>", 384),
        ("<memory unit='G'>2</memory>", 2048),
        ("<memory unit='GB'>1</memory>", 953),
        ("<memory unit='b'>1048576</memory>", 1),
        ("<memory unit='TiB'>1</memory>", 1048576),
        ("", 0),
    ],
)
def test_memory(memory: str, mebibytes: int) -> None:
    assert domain(memory).memory == mebibytes


def test_vcpus() -> None:
    assert domain("").vcpus == 1
    assert domain("<vcpu placement='static' current='1'>4</vcpu>").vcpus == 4


def test_disks_of_all_kinds() -> None:
    found = domain(
        """<devices>
        <disk type='file'><source file='/a' index='1'/><backingStore><source file='/base'/>
          </backingStore></disk>
        <disk type='block'><source dev='/dev/sdz'/></disk>
        <disk type='volume'><source pool='p' volume='v'/></disk>
        <disk type='file' device='cdrom'/></devices>"""
    )
    assert found.disks == ("/a", "/dev/sdz")


def test_a_nic_without_mac_or_ports() -> None:
    found = domain("<devices><interface type='udp'/><interface type='user'/></devices>")
    assert found.macs == ()
    assert [(end.local, end.remote) for end in found.udp] == [(("", 0), ("", 0))]


@pytest.mark.parametrize(
    ("ip", "subnet"),
    [
        ("<ip address='198.18.3.1' prefix='24'/>", "198.18.3.0/24"),
        ("<ip address='198.18.3.1' netmask='255.255.255.128'/>", "198.18.3.0/25"),
        ("<ip family='ipv6' address='fd00::1' prefix='64'/>", "fd00::/64"),
        ("<ip address='198.18.3.1'/>", "198.18.3.1/32"),
    ],
)
def test_subnets(ip: str, subnet: str) -> None:
    xml = f"<network><name>n</name><uuid>u</uuid>{ip}</network>"
    network = parse.observed_network(xml, active=False)
    assert network.subnets == (subnet,)
    assert (network.bridge, network.lab) == ("", None)


@pytest.mark.parametrize("before", ["", "<link state='up'/>", "<link state='down'/>"])
@pytest.mark.parametrize("up", [True, False])
def test_link_state(before: str, up: bool) -> None:
    interface = ElementTree.fromstring(f"<interface>{before}</interface>")
    assert parse.link_is_up(interface) is ("down" not in before)
    parse.set_link_state(interface, up=up)
    assert parse.link_is_up(interface) is up
    assert len(interface) == 1


CAPABILITIES = """<capabilities><guest><arch name='x86_64'>
  <machine canonical='pc-i440fx-7.2'>pc</machine><domain type='qemu'/>
  <domain type='kvm'><machine>microvm</machine></domain></arch></guest>
  <guest><arch name='i686'><machine>isapc</machine><domain type='qemu'/></arch></guest>
</capabilities>"""


def test_machines_and_types() -> None:
    assert parse.guest_virt_types(CAPABILITIES) == {"qemu", "kvm"}
    assert parse.guest_machines(CAPABILITIES, "x86_64") == {"pc", "pc-i440fx-7.2", "microvm"}
