"""Nexus machines really started: under OVMF, with their SATA disk, CD-ROM, serial ports and NICs.

No Nexus is in them: the disk is empty, so the firmware ends in its shell, which says on the serial
console that it ran. What QEMU was told is read off its process.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.nexus import LAB, SIZES, leaf_xml
from labctl import process
from labctl.hypervisor.api import Hypervisor
from labctl.hypervisor.connect import connect

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd]

NAME = f"{LAB}.leaf-1"
BOOT_SECONDS = 120


@pytest.fixture
def hypervisor(libvirtd_uri: str) -> Iterator[Hypervisor]:
    opened = connect(libvirtd_uri)
    yield opened
    opened.destroy(NAME)
    opened.undefine(NAME)
    opened.close()


def argv_of(home: Path) -> list[str]:
    """The command line of the QEMU whose disk is in `home`."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = os.fsdecode(entry.read_bytes()).split("\0")
        except OSError:
            continue  # it has ended
        if "qemu-system" in words[0] and any(str(home) in word for word in words):
            return words
    raise AssertionError(f"no QEMU with a disk in {home}")


def devices(argv: list[str], driver: str) -> list[dict[str, Any]]:
    """What `-device` was told for each device of a driver."""
    values = [argv[n + 1] for n, word in enumerate(argv) if word == "-device"]
    parsed = [json.loads(value) for value in values if value.startswith("{")]
    return [device for device in parsed if device["driver"] == driver]


def files(home: Path) -> Path:
    """An empty disk on a golden image, a medium, in a place QEMU may enter."""
    home.chmod(0o755)
    folder = home / "labs" / LAB / "nodes" / "leaf-1"
    folder.mkdir(parents=True)
    golden = home / "golden.qcow2"
    process.run(["qemu-img", "create", "-q", "-f", "qcow2", golden, "8G"], deadline=30)
    backing = ["-b", str(golden), "-F", "qcow2"]
    overlay = str(folder / "disk.qcow2")
    process.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, overlay], deadline=30)
    (folder / "day0.iso").write_bytes(bytes(1 << 20))
    return folder


@pytest.mark.parametrize("name", SIZES)
def test_it_starts_as_designed(name: str, hypervisor: Hypervisor, tmp_path: Path) -> None:
    folder = files(tmp_path)
    image, width = SIZES[name]
    # 8 GiB whatever the size: what is tested here is the machine, and hosts of tests are small.
    xml = leaf_xml(image, width, home=str(tmp_path))
    for memory in (12288, 16384):
        xml = xml.replace(f"<memory unit='MiB'>{memory}<", "<memory unit='MiB'>8192<")
    hypervisor.define(xml)
    hypervisor.start(NAME)
    argv = argv_of(tmp_path)

    nics = devices(argv, "e1000")
    places = [f"0x{4 + n // 8:x}" + (f".0x{n % 8:x}" if n % 8 else "") for n in range(width + 1)]
    assert [nic["addr"] for nic in nics] == places
    assert {nic["bus"] for nic in nics} == {"pci.0"}
    assert {nic["romfile"] for nic in nics} == {""}
    assert [nic.get("multifunction", False) for nic in nics] == [
        n % 8 == 0 for n in range(width + 1)
    ]
    (controller,) = devices(argv, "ahci")
    assert controller["addr"] == "0x3"
    (disk,), (cdrom,) = devices(argv, "ide-hd"), devices(argv, "ide-cd")
    assert (disk["bus"], cdrom["bus"]) == ("sata0.0", "sata0.1")
    assert [port["index"] for port in devices(argv, "isa-serial")] == [0, 1]
    assert argv[argv.index("-bios") + 1].endswith("OVMF.fd")
    assert "pc-i440fx-7.2" in argv[argv.index("-machine") + 1]
    assert argv[argv.index("-cpu") + 1].endswith("smep=off,smap=off,pku=off,umip=off")
    smbios = [argv[n + 1] for n, word in enumerate(argv) if word == "-smbios"]
    assert any("serial=9" in words for words in smbios)

    end = time.monotonic() + BOOT_SECONDS
    while b"UEFI Interactive Shell" not in (folder / "console.log").read_bytes():
        assert time.monotonic() < end, (folder / "console.log").read_bytes()[-2000:]
        time.sleep(0.5)
