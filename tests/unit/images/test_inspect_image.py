"""Looking at whole images: origin, disk contents behind a guestfish that is one script."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from labctl.errors import ImageError
from labctl.images.contents import DEEPEST, Reading
from labctl.images.inspect import Subject, look
from labctl.images.store import ImageStore
from labctl.model.image import Provenance
from labctl.model.image_name import parse_name
from labctl.model.inspection import Findings, Verdict
from labctl.model.known_image import KnownImage
from labctl.model.verdict import judge
from labctl.report.inspect import contents_lines
from labctl.report.paint import Paint
from labctl.topology.signatures import load_signatures

CISCO = "nxosv-final.7.0.3.I7.4.qcow2"
EVE = "nxosv9k-7.0.3.I7.4.qcow2"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / CISCO
    words: list[str | Path] = ["qemu-img", "create", "-q", "-f", "qcow2", path, "4M"]
    subprocess.run(words, check=True)
    return path


def published(path: Path, **changes: object) -> dict[str, KnownImage]:
    """`path` as if Cisco had published it."""
    raw = path.read_bytes()
    known = KnownImage(CISCO, len(raw), hashlib.md5(raw).hexdigest(), "test")
    return {CISCO.lower(): replace(known, **changes)}  # type: ignore[arg-type]  # any field


def looked(path: Path, known: dict[str, KnownImage]) -> Findings:
    return look(Subject(path, path.name, parse_name(path.name)), known)


@pytest.mark.parametrize("name", [CISCO, EVE, CISCO.upper()])
def test_a_published_file_is_pristine_under_any_name(disk: Path, name: str) -> None:
    known = published(disk)
    done = judge(looked(disk.rename(disk.with_name(name)), known))
    assert done.verdict is Verdict.PRISTINE
    assert done.found.origin.published == CISCO


def test_another_byte_makes_it_modified(disk: Path) -> None:
    known = published(disk)
    raw = bytearray(disk.read_bytes())
    raw[-1] ^= 1
    disk.write_bytes(raw)
    origin = looked(disk, known).origin
    assert (origin.provenance, origin.published) == (Provenance.MODIFIED, CISCO)
    assert "MD5" in origin.how


@pytest.mark.parametrize("name", [CISCO, EVE])
def test_another_size_is_told_without_reading_it(disk: Path, name: str) -> None:
    known = published(disk, size=985792512)
    origin = looked(disk.rename(disk.with_name(name)), known).origin
    assert (origin.provenance, origin.published, origin.md5) == (Provenance.MODIFIED, CISCO, "")
    assert "instead of 985792512" in origin.how


def test_of_the_size_alone_is_unknown(disk: Path) -> None:
    known = published(disk, md5="0" * 32)
    other = disk.rename(disk.with_name("nexus9300v.9.3.13.qcow2"))
    assert looked(other, known).origin.provenance is Provenance.UNKNOWN


def test_an_overlay_is_no_published_file(disk: Path) -> None:
    known = published(disk)
    overlay = disk.with_name(EVE)
    formats = ["-f", "qcow2", "-F", "qcow2"]
    subprocess.run(["qemu-img", "create", "-q", *formats, "-b", disk, overlay], check=True)
    done = judge(looked(overlay, known))
    assert done.verdict is Verdict.MODIFIED
    assert "it is an overlay" in done.found.origin.how


@pytest.mark.parametrize(
    ("provenance", "rotten", "verdict"),
    [
        (Provenance.PRISTINE, False, Verdict.PRISTINE),
        (Provenance.PRISTINE, True, Verdict.DAMAGED),
        (Provenance.UNKNOWN, True, Verdict.DAMAGED),
        (Provenance.MODIFIED, False, Verdict.MODIFIED),
        (Provenance.UNKNOWN, False, Verdict.UNKNOWN),
        (Provenance.SALVAGED, False, Verdict.MODIFIED),
    ],
)
def test_a_stored_image_is_what_its_manifest_says_if_its_bytes_are(
    disk: Path, provenance: Provenance, rotten: bool, verdict: Verdict
) -> None:
    image = replace(ImageStore(disk.parent / "store").add(disk, "gold"), provenance=provenance)
    if rotten:
        image.path.chmod(0o644)
        with image.path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x01")
    done = judge(look(Subject(image.path, "gold", None, image), {}))
    assert done.verdict is verdict
    assert done.found.origin.store == "gold"


def test_what_verify_found_damaged_inspect_reads_again(disk: Path) -> None:
    store = ImageStore(disk.parent / "store")
    image = store.add(disk, "gold")
    before = image.path.stat()
    image.path.chmod(0o644)
    with image.path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    assert store.verify(image)
    image = store.get("gold")
    assert image.found_damaged
    assert image.mtime_ns == image.path.stat().st_mtime_ns != before.st_mtime_ns
    done = judge(look(Subject(image.path, "gold", None, image), {}))
    assert done.verdict is Verdict.DAMAGED


# A guestfish that answers each command with the lines its script has for it.
FAKE = """#!/bin/bash
while read -r command rest; do
    case $command in
        echo) echo "$rest" ;;
        %s
    esac
done
"""
DEAD = '-run) echo "libguestfs: error: appliance closed the connection" ;;'
NO_SYSTEM = """-part-get-parttype) echo "libguestfs: error: unrecognised disk label" ;;
        -list-filesystems) ;;"""
STUBBORN = """-part-get-parttype) echo gpt ;;
        -part-list) printf '[0] = {\\n part_num: 1\\n part_start: 512\\n part_size: 9\\n}\\n' ;;
        -list-filesystems) printf '/dev/sda1: ext4\\n/dev/sda2: swap\\n' ;;
        -mount-ro) echo "*stdin*:9: libguestfs: error: mount_ro: bad superblock" ;;"""


def read(path: Path, answers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """`path` looked into, by a guestfish of our own."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "guestfish"
    program.write_text(FAKE % answers)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    reading = Reading(None, load_signatures(), kvm=False)
    before = path.read_bytes()
    found = look(Subject(path, path.name, None), {}, reading)
    assert path.read_bytes() == before
    return found


@pytest.mark.parametrize(
    ("answers", "problem"),
    [(DEAD, "not readable: run: appliance closed"), (NO_SYSTEM, ""), ("*) exit 1 ;;", "not read")],
)
def test_a_disk_that_can_t_be_read_is_a_finding(
    disk: Path, answers: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = read(disk, answers, tmp_path, monkeypatch).contents
    assert contents is not None
    assert contents.problem.startswith(problem)
    assert bool(contents.problem) == bool(problem)


def test_an_empty_disk_can_t_boot(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = judge(read(disk, NO_SYSTEM, tmp_path, monkeypatch))
    assert done.verdict is Verdict.NOT_BOOTABLE
    assert "no partition table" in done.reasons[0].text


def test_a_file_system_that_does_not_mount_is_told_and_nothing_concluded(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = judge(read(disk, STUBBORN, tmp_path, monkeypatch))
    assert done.found.contents is not None
    (first, second) = done.found.contents.file_systems
    assert "bad superblock" in first.problem
    assert (second.type, second.problem) == ("swap", "")
    assert done.verdict is Verdict.UNKNOWN


def test_a_disk_in_use_is_not_read(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(
        ["qemu-io", "-f", "qcow2", disk], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(b"length\n")
        writer.stdin.flush()
        writer.stdout.read(1)
        found = read(disk, DEAD, tmp_path, monkeypatch)
        writer.stdin.close()
    assert found.in_use
    assert found.contents is not None
    assert "stop that machine first" in found.contents.problem


def test_above_what_qemu_bears_the_highest_layer_it_does_is_read(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = disk
    for number in range(DEEPEST + 2):
        above = disk.with_name(f"{number}.qcow2")
        words: list[str | Path] = [
            "create",
            "-q",
            "-u",
            "-f",
            "qcow2",
            "-F",
            "qcow2",
            "-b",
            path,
            above,
            "4M",
        ]
        subprocess.run(["qemu-img", *words], check=True)
        path = above
    subprocess.run(["qemu-io", "-c", "write 0 64k", disk], check=True, capture_output=True)
    found = read(path, NO_SYSTEM, tmp_path, monkeypatch)
    assert found.contents is not None
    assert found.contents.layer == str(disk.with_name(f"{DEEPEST - 2}.qcow2"))
    assert (found.contents.skipped, found.contents.skipped_with_data) == (3, 0)
    subprocess.run(["qemu-io", "-c", "write 0 64k", path], check=True, capture_output=True)
    again = read(path, NO_SYSTEM, tmp_path, monkeypatch).contents
    assert again is not None
    assert again.skipped_with_data == 1
    assert "1 of them hold data" in "\n".join(contents_lines(again, Paint()))


def test_without_guestfish_the_way_to_it_is_told(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = disk.with_name("bin")
    programs.mkdir()
    (programs / "qemu-img").symlink_to("/usr/bin/qemu-img")
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(ImageError) as caught:
        look(Subject(disk, disk.name, None), {}, Reading(None, load_signatures(), kvm=False))
    assert "apt install" in caught.value.resolution
    assert "linux-image" in caught.value.resolution
