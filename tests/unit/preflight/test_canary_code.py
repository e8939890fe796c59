"""The canary's bytes are what its source says, and its sums are right."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from labctl.preflight.guest import ANSWER, CANARY_FOLDER, boot_disk, domain_xml, progress

SOURCE = CANARY_FOLDER / "canary.S"


@pytest.mark.skipif(not (shutil.which("as") and shutil.which("ld")), reason="needs binutils")
def test_the_committed_bytes_are_the_assembled_source(tmp_path: Path) -> None:
    binary, image = tmp_path / "canary.o", tmp_path / "canary.img"
    subprocess.run(["as", "--64", "-o", binary, SOURCE], check=True)
    link = ["ld", "-m", "elf_x86_64", "-Ttext=0x7c00", "--oformat", "binary"]
    subprocess.run([*link, "-o", image, binary], check=True)
    assert image.read_bytes() == boot_disk()[:512]


def test_the_disk_is_a_boot_sector_and_zeros() -> None:
    disk = boot_disk()
    assert len(disk) == 1 << 20
    assert disk[510:512] == b"\x55\xaa"
    assert ANSWER in disk[:510]
    assert not any(disk[512:])


def test_the_expected_sum_is_right() -> None:
    """x -> ax + c, applied STEPS times, by repeated squaring of the map."""
    constants = {
        name: int(value, 0)
        for name, value in re.findall(r"\.set (\w+), (0x[0-9a-f]+|\d+)$", SOURCE.read_text(), re.M)
    }
    modulus, factor, term, total = 1 << 32, 1664525, 1013904223, 0
    steps = constants["STEPS"]
    while steps:
        if steps & 1:
            total = (factor * total + term) % modulus
        term = (factor * term + term) % modulus
        factor = factor * factor % modulus
        steps >>= 1
    assert total == constants["RESULT"]


def test_paths_cant_inject_into_the_domain() -> None:
    evil = Path("/tmp/'/><evil a=\"&")
    root = ElementTree.fromstring(domain_xml("labctl-canary-x", "kvm", evil, evil))
    disk, log = root.find("devices/disk/source"), root.find("devices/serial/log")
    assert disk is not None
    assert log is not None
    assert disk.get("file") == log.get("file") == str(evil)


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        (b"", "it said nothing"),
        (b"BPL", "through the BIOS, protected mode, long mode, then fell silent in SSE2"),
        (b"BPLSFU", "user mode, then fell silent waiting for timer interrupts"),
    ],
)
def test_the_last_letter_heard_tells_where_it_stopped(heard: bytes, words: str) -> None:
    assert words in progress(heard)
