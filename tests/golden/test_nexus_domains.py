"""The three sizes of Nexus machines against their golden XML, and libvirt's judgement of it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.nexus import LAB, SIZES, leaf_xml
from labctl import process
from labctl.model.platform import Firmware

GOLDEN = Path(__file__).parent.parent / "fixtures" / "nexus-domains"
size = pytest.mark.parametrize("name", SIZES)


@size
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}.xml"
    xml = leaf_xml(*SIZES[name], virt_type="kvm")
    if request.config.getoption("--regenerate"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(xml)
    assert xml == path.read_text()


@size
@pytest.mark.parametrize("kind", ["rom", "pflash"])
def test_libvirt_takes_it(name: str, kind: str, tmp_path: Path) -> None:
    firmware = Firmware(kind, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd")
    path = tmp_path / "domain.xml"
    path.write_text(leaf_xml(*SIZES[name], virt_type="test", firmware=firmware))
    command = f"define --validate {path}; start {LAB}.leaf-1"
    process.run(["virsh", "-c", "test:///default", command], deadline=60)


@size
def test_nic_n_is_in_place_n(name: str) -> None:
    """mgmt0 first, then Ethernet1/1 and on: by slot and function, eight to a slot from 4 on."""
    root = ElementTree.fromstring(leaf_xml(*SIZES[name]))
    nics = root.findall("devices/interface")
    assert len(nics) == SIZES[name][1] + 1
    places = []
    for nic in nics:
        address = nic.find("address")
        assert address is not None
        assert address.get("bus") == "0x00"
        places.append(
            (int(address.get("slot", ""), 16) - 4) * 8 + int(address.get("function", ""), 16)
        )
        assert (address.get("multifunction") == "on") is (places[-1] % 8 == 0)
        rom = nic.find("rom")
        assert rom is not None
        assert rom.get("enabled") == "no"
    assert places == list(range(len(nics)))


@size
def test_gaps_are_filled_with_unplugged_nics(name: str) -> None:
    root = ElementTree.fromstring(leaf_xml(*SIZES[name]))
    states = [
        (nic.get("type"), link.get("state"))
        for nic in root.findall("devices/interface")
        if (link := nic.find("link")) is not None
    ]
    fillers = [("user", "down")] * (SIZES[name][1] - 1)
    assert states == [("user", "up"), *fillers, ("udp", "up")]


def test_macs_are_no_hypervisor_s_and_count_up() -> None:
    root = ElementTree.fromstring(leaf_xml("nexus9500v64.10.5.5.M", 128))
    macs = [mac.get("address", "") for mac in root.findall("devices/interface/mac")]
    assert len(set(macs)) == 129
    assert all(mac.startswith("0c:00:") for mac in macs)
    first = int(macs[0].replace(":", ""), 16)
    assert [int(mac.replace(":", ""), 16) - first for mac in macs] == list(range(129))
