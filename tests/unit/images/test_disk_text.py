"""What the text of a disk's files tells."""

from __future__ import annotations

import pytest

from labctl.images import disk_text
from labctl.images.guestfish import quoted
from labctl.model.image_name import parse_name
from labctl.model.inspection import Partition

MENU = """\
serial --unit=0 --speed=9600 --word=8
default 0
title bootflash:/nxos.7.0.3.I7.4.bin
    root (hd0,3)
    kernel /nxos.7.0.3.I7.4.bin quiet isolated=GOLD console=ttyS0,9600n8 console=tty0
"""


def test_boot_lines_carry_their_consoles() -> None:
    speed, kernel = disk_text.boot_lines("/dev/sda5", "boot/grub/menu.lst.local", MENU)
    assert (speed.line, speed.consoles) == (1, ("serial 9600",))
    assert (kernel.line, kernel.consoles) == (5, ("ttyS0,9600n8", "tty0"))
    assert kernel.text.startswith("kernel /nxos.7.0.3.I7.4.bin")


@pytest.mark.parametrize(
    "line",
    ["  linux /vmlinuz root=/dev/sda2", "APPEND console=ttyS0", "options quiet", "LINUX vmlinuz"],
)
def test_each_loader_s_word_is_known(line: str) -> None:
    assert len(list(disk_text.boot_lines("/dev/sda1", "grub.cfg", f"# x\n{line}\n"))) == 1


def test_a_configuration_without_end_gives_some_lines() -> None:
    assert len(list(disk_text.boot_lines("/dev/sda1", "grub.cfg", "linux /x\n" * 9999))) == 64


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("boot/grub/menu.lst.local", "configuration"),
        ("boot/grub2/grub.cfg", "configuration"),
        ("loader/entries/debian.conf", "configuration"),
        ("EFI/BOOT/BOOTX64.EFI", "loader"),
        ("ldlinux.sys", "loader"),
        ("nxos.7.0.3.I7.4.bin", "image"),
        ("n9000-dk9.6.1.2.I3.4.bin", "image"),
        ("isan/etc/version.txt", "version"),
        ("etc/grub.cfg.d/readme", ""),
        ("usr/bin/nxos", ""),
        ("my-version.txt.bak", ""),
    ],
)
def test_files_are_known_by_their_path(path: str, kind: str) -> None:
    found = {
        "configuration": disk_text.is_boot_configuration(path),
        "loader": disk_text.is_boot_loader(path),
        "image": disk_text.is_boot_image(path),
        "version": disk_text.is_version_file(path),
    }
    assert [name for name, is_it in found.items() if is_it] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("name", "file", "release", "agrees"),
    [
        ("nxosv9k-7.0.3.I7.4", "nxos.7.0.3.I7.4.bin", "7.0(3)I7(4)", True),
        ("nxosv9k-7.0.3.I7.4", "nxos.9.3.9.bin", "9.3(9)", False),
        ("nexus9300v64.10.5.5.M.qcow2", "nxos64-cs.10.5.5.M.bin", "10.5(5)M", True),
        (None, "nxos.9.3.9.bin", "9.3(9)", None),
    ],
)
def test_a_boot_image_is_held_against_the_name(
    name: str | None, file: str, release: str, agrees: bool | None
) -> None:
    claims = parse_name(name) if name else None
    clue = disk_text.boot_image_clue("/dev/sda4", f"x/{file}", claims)
    assert clue is not None
    assert (clue.release, clue.agrees, clue.text) == (release, agrees, file)


def test_a_boot_image_without_a_release_tells_nothing() -> None:
    assert disk_text.boot_image_clue("/dev/sda4", "nxos.bin", None) is None


@pytest.mark.parametrize(
    "text", ["NXOS: version 7.0(3)I7(4)", "system.7.0.3.I7.4", "7.0(3)I7(4)\n7.0.3.I7.4 again"]
)
def test_version_files_are_read_in_both_forms(text: str) -> None:
    claims = parse_name("nxosv9k-7.0.3.I7.4")
    (clue,) = disk_text.version_clues("/dev/sda2", "isan/etc/version.txt", text, claims)
    assert (clue.release, clue.agrees, clue.line) == ("7.0(3)I7(4)", True, 1)


def test_a_kernel_s_version_is_no_release() -> None:
    text = "Linux version 4.1.21-WR8.0.0.25, gcc 5.2.0, 10.0.0.1"
    found = list(disk_text.version_clues("/dev/sda2", "version.txt", text, None))
    assert found == []


def test_partitions_carry_type_and_guid() -> None:
    text = "[0] = {\n  part_num: 4\n  part_start: 1048576\n  part_end: 9\n  part_size: 512\n}\n"
    kinds = {4: ("0FC63DAF", "5330E85F")}
    assert disk_text.partitions(text, kinds) == (
        Partition(4, 1048576, 512, "0FC63DAF", "5330E85F"),
    )
    assert disk_text.partitions("", {}) == ()


@pytest.mark.parametrize(
    ("features", "state"),
    [("has_journal extent", "clean"), ("needs_recovery extent", "clean, journal not replayed")],
)
def test_an_ext_file_system_tells_its_past(features: str, state: str) -> None:
    text = (
        f"Filesystem features: {features}\nFilesystem state: clean\n"
        "Last mount time: Mon Jan  1 00:00:00 2024\nMount count: 3\n"
    )
    assert disk_text.ext_state(text) == (3, "Mon Jan  1 00:00:00 2024", state)
    assert disk_text.ext_state("garbage") == (None, "", "")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/var/log", b'"/var/log"'),
        (b'a"; !rm', b'"a\\x22\\x3b\\x20\\x21rm"'),
        (b"new\nline\xff", b'"new\\x0aline\\xff"'),
    ],
)
def test_names_from_a_disk_can_t_become_commands(word: str | bytes, expected: bytes) -> None:
    assert quoted(word) == expected
