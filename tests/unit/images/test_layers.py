"""Chains told by headers alone, whatever state they are in."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from labctl.errors import ImageError
from labctl.images.inspect import MOST_CHECKED, check_layers
from labctl.images.layers import walk
from labctl.model.inspection import Depth

MIB = 1 << 20


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *words], check=True, capture_output=True)


def image(path: Path, *words: str | Path, size: str = "64M") -> Path:
    qemu_img("create", "-q", "-u", "-f", "qcow2", *words, path, size)
    return path


def on(path: Path, base: Path | str, base_format: str = "qcow2") -> Path:
    return image(path, "-F", base_format, "-b", base)


def named(path: Path, name: bytes) -> Path:
    """An overlay whose header names any bytes as what it stands on."""
    on(path, "x" * len(name))
    raw = path.read_bytes()
    assert raw.count(b"x" * len(name)) == 1
    path.write_bytes(raw.replace(b"x" * len(name), name))
    return path


def test_a_layer_is_told_as_qemu_tells_it(tmp_path: Path) -> None:
    base = image(tmp_path / "base.qcow2", "-o", "cluster_size=2M,compat=0.10")
    subprocess.run(["qemu-io", "-c", "write 0 64k", base], check=True, capture_output=True)
    top = on(tmp_path / "top.qcow2", base)
    found = walk(top)
    assert found.fault == ""
    assert [layer.path for layer in found.layers] == [str(top), str(base)]
    above, below = found.layers
    assert (above.cluster_size, above.compat, above.holds_data) == (65536, "1.1", False)
    assert (below.cluster_size, below.compat, below.holds_data) == (2 * MIB, "0.10", True)
    assert {layer.virtual_size for layer in found.layers} == {64 * MIB}
    assert below.size == base.stat().st_size
    assert below.allocated == base.stat().st_blocks * 512


def test_internal_snapshots_are_read_from_their_table(tmp_path: Path) -> None:
    base = image(tmp_path / "base.qcow2")
    for name in ("before upgrade", "nächtlich"):
        qemu_img("snapshot", "-c", name, base)
    (layer,) = walk(base).layers
    assert [(s.id, s.name, s.vm_state_size) for s in layer.snapshots] == [
        ("1", "before upgrade", 0),
        ("2", "nächtlich", 0),
    ]
    assert all(state.date.endswith("+00:00") for state in layer.snapshots)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(3, "ends after 1 of 3"), (1 << 31, "65536 at most")],
)
def test_a_snapshot_table_that_lies_is_bounded(tmp_path: Path, count: int, expected: str) -> None:
    base = image(tmp_path / "base.qcow2")
    qemu_img("snapshot", "-c", "one", base)
    raw = bytearray(base.read_bytes())
    raw[60:64] = struct.pack(">I", count)
    at = int.from_bytes(raw[64:72], "big")
    del raw[at + 72 :]
    base.write_bytes(raw)
    (layer,) = walk(base).layers
    assert expected in " ".join(layer.problems)
    assert layer.snapshots[0].name == "one"


def test_snapshots_of_endless_names_are_not_all_read(tmp_path: Path) -> None:
    base = image(tmp_path / "base.qcow2")
    raw = bytearray(base.read_bytes())
    table = len(raw)
    raw[60:72] = struct.pack(">IQ", 60_000, table)
    entry = struct.pack(">QIHHIIQII", 0, 0, 0xFFF8, 0xFFF8, 0, 0, 0, 0, 0)
    step = len(entry) + 2 * 0xFFF8
    with base.open("r+b") as file:
        file.write(raw)
        for number in range(600):
            file.seek(table + number * step)
            file.write(entry)
        file.truncate(table + 60_000 * step)
    (layer,) = walk(base).layers
    assert len(layer.snapshots) * step <= (64 << 20) + step
    assert "garbage" in " ".join(layer.problems)


def test_a_missing_layer_ends_the_walk(tmp_path: Path) -> None:
    top = on(tmp_path / "top.qcow2", "gone.qcow2")
    found = walk(top)
    assert len(found.layers) == 1
    assert f"it stands on {tmp_path / 'gone.qcow2'}" in found.fault
    assert "No such file" in found.fault


def test_a_chain_that_bites_its_tail_ends(tmp_path: Path) -> None:
    one, two = tmp_path / "1.qcow2", tmp_path / "2.qcow2"
    on(two, on(one, two))
    found = walk(one)
    assert len(found.layers) == 2
    assert "stands on itself" in found.fault


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b'json:{"driver":"nbd","host":"h"}', "no file of this host"),
        (b"nbd://host/disk", "no file of this host"),
        (b"embedded\0nul", "null byte"),
        (b"\xff\xfe\x1b[2J", "�"),
        (b"d" * 300, "too long"),
        (b"pipe", "it is no file"),
        (b"/dev/zero", "it is no file"),
        (b"/proc", "it is no file"),
    ],
)
def test_what_a_header_names_is_nobody_s_to_trust(
    tmp_path: Path, name: bytes, expected: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = walk(named(tmp_path / "top.qcow2", name))
    assert len(found.layers) == 1
    assert expected in found.fault
    assert found.fault.isprintable()


def test_a_raw_base_is_the_end_of_a_chain(tmp_path: Path) -> None:
    raw = tmp_path / "base.img"
    raw.write_bytes(bytes(MIB))
    found = walk(on(tmp_path / "top.qcow2", raw, "raw"))
    assert found.fault == ""
    assert (found.layers[1].format, found.layers[1].virtual_size) == ("raw", MIB)


def test_a_qcow2_file_taken_for_a_raw_disk_is_a_fault(tmp_path: Path) -> None:
    base = image(tmp_path / "base.qcow2")
    found = walk(on(tmp_path / "top.qcow2", base, "raw"))
    assert "for a raw disk, and that is a qcow2 file" in found.fault


@pytest.mark.parametrize("what", ["nothing", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match=f"can't read {tmp_path / what}"):
        walk(tmp_path / what)


def grown(folder: Path, deltas: int) -> Path:
    path = image(folder / "0.qcow2")
    for number in range(1, deltas + 1):
        path = on(folder / f"{number}.qcow2", path)
    return path


@pytest.mark.parametrize(
    ("deltas", "depth"),
    [(0, Depth.SINGLE), (7, Depth.SINGLE), (8, Depth.DEEP), (31, Depth.DEEP), (32, Depth.TOO_DEEP)],
)
def test_depth_is_classified(tmp_path: Path, deltas: int, depth: Depth) -> None:
    assert walk(grown(tmp_path, deltas)).depth is depth


def test_layers_are_checked_with_what_they_stand_on_left_closed(tmp_path: Path) -> None:
    top = grown(tmp_path, 3)
    found = walk(top)
    (tmp_path / "2.qcow2").rename(tmp_path / "away")
    checks, unchecked = check_layers(found)
    assert [check.standing for check in checks] == ["clean", "unreadable", "clean", "clean"]
    assert unchecked == ""


def test_of_a_long_chain_top_and_lowest_are_checked_and_that_is_said(tmp_path: Path) -> None:
    found = walk(grown(tmp_path, MOST_CHECKED))
    checks, unchecked = check_layers(found)
    assert [check.path for check in checks] == [found.layers[0].path, found.layers[-1].path]
    assert "only the top and the lowest" in unchecked


def test_a_running_machine_s_disk_is_not_checked(tmp_path: Path) -> None:
    base = image(tmp_path / "base.qcow2")
    words: list[str | Path] = ["qemu-io", "-f", "qcow2", base]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(b"write 0 64k\n")
        writer.stdin.flush()
        assert b"wrote" in writer.stdout.readline() + writer.stdout.readline()
        (check,), _ = check_layers(walk(base))
        writer.stdin.close()
    assert check.standing == "in use"
    assert not check.damaged
