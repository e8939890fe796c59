"""Headers read without QEMU, and overlays, judged by qemu-img."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from labctl.errors import ImageError
from labctl.images.chain import chain, depth
from labctl.images.disks import stands_on, users
from labctl.images.overlay import create_overlay
from labctl.images.qcow2 import read_header

GIB = 1 << 30


def qemu_img(*words: str | Path) -> str:
    done = subprocess.run(["qemu-img", *words], capture_output=True, text=True, check=True)
    return done.stdout


def golden(folder: Path, size: int = GIB) -> Path:
    path = folder / "golden.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", path, str(size))
    return path


@pytest.mark.parametrize("size", [512, GIB, 3 * GIB + 512])
def test_an_overlay_names_its_golden_image_and_format(tmp_path: Path, size: int) -> None:
    base, overlay = golden(tmp_path, size), tmp_path / "disk.qcow2"
    create_overlay(base, overlay)
    info = json.loads(qemu_img("info", "--output=json", "--backing-chain", overlay))[0]
    assert info["virtual-size"] == size
    assert info["full-backing-filename"] == str(base)
    assert info["backing-filename-format"] == "qcow2"
    qemu_img("check", overlay)


def test_what_is_written_to_an_overlay_stays_there(tmp_path: Path) -> None:
    base, overlay = golden(tmp_path), tmp_path / "disk.qcow2"
    subprocess.run(["qemu-io", "-c", "write -P 7 0 1M", base], check=True, capture_output=True)
    before = base.read_bytes()
    create_overlay(base, overlay)
    write = ["-c", "write -P 9 64k 128k", "-c", "write -P 9 800M 64k"]
    subprocess.run(["qemu-io", *write, overlay], check=True, capture_output=True)
    read = ["read -P 7 0 64k", "read -P 9 64k 128k", "read -P 7 192k 800k", "read -P 9 800M 64k"]
    commands = [word for line in read for word in ("-c", line)]
    done = subprocess.run(["qemu-io", *commands, overlay], check=True, capture_output=True)
    assert b"Pattern verification failed" not in done.stdout
    assert base.read_bytes() == before
    qemu_img("check", overlay)


def test_header_agrees_with_qemu(tmp_path: Path) -> None:
    base, other = golden(tmp_path, 5 * GIB), tmp_path / "other.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", other)
    qemu_img("snapshot", "-c", "s1", other)
    header = read_header(other)
    assert (header.virtual_size, header.backing, header.snapshots) == (5 * GIB, str(base), 1)
    flags = (header.dirty, header.corrupt, header.encrypted, header.data_file)
    assert flags == (False, False, False, False)
    assert read_header(base).backing == ""


def test_an_overlay_takes_the_old_ones_place_and_nobody_elses_eyes(tmp_path: Path) -> None:
    base, overlay = golden(tmp_path), tmp_path / "disk.qcow2"
    overlay.write_text("old")
    (tmp_path / "disk.qcow2.part").write_text("left by a killed run")
    create_overlay(base, overlay)
    assert read_header(overlay).backing == str(base)
    assert overlay.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["disk.qcow2", "golden.qcow2"]


def test_no_overlay_on_what_is_no_qcow2(tmp_path: Path) -> None:
    raw = tmp_path / "raw.img"
    raw.write_bytes(bytes(4096))
    with pytest.raises(ImageError, match="no qcow2"):
        create_overlay(raw, tmp_path / "disk.qcow2")
    assert not (tmp_path / "disk.qcow2").exists()


def test_a_path_too_long_for_a_header_is_refused(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(5):
        deep = deep / ("d" * 240)
    deep.mkdir(parents=True)
    with pytest.raises(ImageError, match="can't make an overlay"):
        create_overlay(golden(deep), tmp_path / "disk.qcow2")
    assert not list(tmp_path.glob("disk*"))


def test_depth_counts_layers_below(tmp_path: Path) -> None:
    base = golden(tmp_path)
    one, two = tmp_path / "1.qcow2", tmp_path / "2.qcow2"
    create_overlay(base, one)
    create_overlay(one, two)
    assert (depth(base), depth(one), depth(two)) == (0, 1, 2)
    assert chain(two) == (two, one, base)


def test_relative_backing_names_are_from_the_layers_folder(tmp_path: Path) -> None:
    golden(tmp_path)
    overlay = tmp_path / "sub" / "disk.qcow2"
    overlay.parent.mkdir()
    qemu_img("create", "-q", "-f", "qcow2", "-b", "../golden.qcow2", "-F", "qcow2", overlay)
    assert depth(overlay) == 1


def test_a_chain_that_bites_its_tail_is_named(tmp_path: Path) -> None:
    base, one = golden(tmp_path), tmp_path / "1.qcow2"
    create_overlay(base, one)
    qemu_img("rebase", "-u", "-b", one, "-F", "qcow2", base)
    with pytest.raises(ImageError, match="stands on itself"):
        depth(one)


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    base, one = golden(tmp_path), tmp_path / "1.qcow2"
    create_overlay(base, one)
    base.unlink()
    with pytest.raises(ImageError, match=r"golden\.qcow2"):
        depth(one)


@pytest.mark.parametrize("name", ["pipe", "json:{}", "nbd://host/disk", "x\0y"])
def test_a_name_that_is_no_file_s_is_refused_and_not_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    one = tmp_path / "1.qcow2"
    qemu_img("create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", "n" * len(name), one, "1M")
    one.write_bytes(one.read_bytes().replace(b"n" * len(name), name.encode()))
    with pytest.raises(ImageError, match=r"1\.qcow2|pipe"):
        chain(one)
    assert stands_on(one, tmp_path / "golden.qcow2") is False


def test_what_stands_on_a_golden_image_is_known_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    base, one, two = golden(tmp_path), tmp_path / "1.qcow2", tmp_path / "2.qcow2"
    create_overlay(base, one)
    create_overlay(one, two)
    for disk in (base, one, two):
        assert stands_on(disk, base) is True
    base.unlink()
    assert stands_on(two, base) is True
    one.unlink()
    assert stands_on(two, base) is False
    one.symlink_to(one)
    assert stands_on(two, base) is None
    assert two in users(base, tmp_path)
