"""lab/platforms against the guest it describes: both must know the same phases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labctl.topology.platforms import PLATFORM_FOLDER, load_platforms

GUEST = PLATFORM_FOLDER.parent / "guests" / "frr" / "rootfs" / "usr" / "lib" / "labctl"
PLATFORMS = load_platforms()


@pytest.mark.parametrize("name", ["frr", "linux"])
def test_phases_are_those_the_guest_tells(name: str) -> None:
    told = re.findall(r"^phase (\w+)$", (GUEST / "boot").read_text(), re.MULTILINE)
    phases = PLATFORMS[name].phases
    assert [phase.name for phase in phases] == [*told, "ready"]
    for phase in phases:
        assert re.search(phase.pattern, f"labctl-guest: phase {phase.name}")


def test_ready_tells_how_many_errors_there_were() -> None:
    said = {
        "agent": "labctl-guest: phase ready errors=3",
        "console": "labctl: phase ready, 3 errors",
    }
    for platform in PLATFORMS.values():
        match = re.search(platform.phases[-1].pattern, said[platform.automation])
        assert match is not None
        assert match["errors"] == "3"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("No bootable device.", "no bootable disk"),
        ("[    1.2] Kernel panic - not syncing: VFS", "kernel panic"),
        ("[   99.0] Out of memory: Killed process 99 (bgpd)", "out of memory"),
        ("labctl-guest: failed daemons: zebra did not start", "guest failed"),
    ],
)
def test_faults_on_the_console_are_named(line: str, fault: str) -> None:
    found = [rule.name for rule in PLATFORMS["frr"].faults if re.search(rule.pattern, line)]
    assert found == [fault]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("BdsDxe: No bootable option or device was found.", "no bootable disk"),
        ("check_bootmode: grub2pxe: grub failed", "no bootable disk"),
        ("iPXE 1.20.1 -- Open Source Network Boot Firmware", "no bootable disk"),
        ("UEFI Interactive Shell v2.2", "firmware shell"),
        ("No bootflash. Rebooting", "no bootflash"),
        ("loader > boot nxos.bin", "loader loop"),
        ("Corrupt metadata in inode 11", "corrupt metadata"),
        ("[ 9.1] Kernel panic - not syncing: x", "kernel panic"),
        ("System is not fully online. Skip POAP? (yes/no)[n]:", "POAP loop"),
        ("Wrong Password, Reason:", "weak password"),
        ("password is weak", "weak password"),
        ("Memory limit 3.8GB detected. Limiting routing table to 4k routes", "low memory"),
        ("Login incorrect", "login refused"),
    ],
)
def test_faults_on_a_nexus_console_are_named(line: str, fault: str) -> None:
    found = [rule.name for rule in PLATFORMS["nxosv9k"].faults if re.search(rule.pattern, line)]
    assert found == [fault]


def test_templates_of_every_platform_exist() -> None:
    templates = Path(PLATFORM_FOLDER).parent.parent / "templates"
    for platform in PLATFORMS.values():
        assert (templates / platform.domain_template).is_file()
        assert any((templates / "day0" / platform.device).glob("*.j2"))
