"""The content digest tells disks apart, and forms of one disk not."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from labctl.errors import ImageError
from labctl.images.digest import BLOCK, content_digest, file_digest, raw_digest

SIZE = 4 * 1024 * 1024 + 512


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A sparse disk whose data begins and ends within blocks."""
    path = tmp_path / "disk.raw"
    with path.open("wb") as file:
        file.truncate(SIZE)
        file.seek(100_000)
        file.write(b"boot" * 50_000)
        file.seek(SIZE - 3)
        file.write(b"end")
    return path


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, timeout=60)


def test_zeros_count_as_absent_whether_they_are_written_or_not(raw: Path, tmp_path: Path) -> None:
    full = tmp_path / "full.raw"
    full.write_bytes(raw.read_bytes())
    assert full.stat().st_blocks > raw.stat().st_blocks
    assert raw_digest(full) == raw_digest(raw)


@pytest.mark.parametrize("offset", [0, BLOCK, 100_000, SIZE - 1])
def test_one_changed_byte_changes_it(raw: Path, offset: int) -> None:
    before = raw_digest(raw)
    with raw.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)
        file.seek(offset)
        file.write(bytes([old[0] ^ 1]))
    assert raw_digest(raw) != before


def test_a_longer_disk_is_another_disk(raw: Path) -> None:
    before = raw_digest(raw)
    with raw.open("r+b") as file:
        file.truncate(SIZE + 512)
    assert raw_digest(raw) != before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("qcow2", ("-o", "cluster_size=4096,compat=0.10")),
        ("qcow2", ("-c",)),
        ("vmdk", ("-o", "subformat=streamOptimized")),
    ],
)
def test_it_is_the_same_in_every_form(
    raw: Path, tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    image, scratch = tmp_path / "image", tmp_path / "scratch"
    qemu_img("convert", "-f", "raw", "-O", name, *words, raw, image)
    assert file_digest(image) != file_digest(raw)
    assert content_digest(image, scratch=scratch, image_format=name) == raw_digest(raw)
    assert not scratch.exists()


def test_it_is_of_the_whole_chain(raw: Path, tmp_path: Path) -> None:
    base, top = tmp_path / "base", tmp_path / "top"
    qemu_img("convert", "-f", "raw", "-O", "qcow2", raw, base)
    qemu_img("create", "-f", "qcow2", "-F", "qcow2", "-b", base, top)
    assert content_digest(top, scratch=tmp_path / "scratch") == raw_digest(raw)


PLAIN = [
    "cluster_size=65536",
    "cluster_size=2097152",
    "compat=0.10",
    "preallocation=metadata",
    "preallocation=full",
    "lazy_refcounts=on",
    "refcount_bits=1",
]
NOT_PLAIN = ["cluster_size=4096", "extended_l2=on"]


def written(path: Path, options: str, seed: int) -> Path:
    """A disk that was written to, trimmed, zeroed and snapshotted here and there."""
    qemu_img("create", "-f", "qcow2", "-o", options, path, "37M")
    chance = random.Random(seed)
    for step in range(12):
        verb = chance.choice(["write -P 7", "write -P 0", "write -z", "discard"])
        start, length = chance.randrange(0, 70) * 512 * 1024, chance.randrange(1, 4000) * 512
        argv: list[str | Path] = ["qemu-io", "-d", "unmap", "-c", f"{verb} {start} {length}", path]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        if step == 6 and options not in NOT_PLAIN and "refcount_bits" not in options:
            qemu_img("snapshot", "-c", "before", path)
    return path


@pytest.mark.parametrize("options", [*PLAIN, *NOT_PLAIN])
def test_in_place_it_is_what_qemu_reads(tmp_path: Path, options: str) -> None:
    image, raw = written(tmp_path / "image", options, seed=1), tmp_path / "raw"
    qemu_img("convert", "-f", "qcow2", "-O", "raw", image, raw)
    nowhere = tmp_path / "nowhere/scratch"  # only what is not plain needs one
    if options in PLAIN:
        assert content_digest(image, scratch=nowhere) == raw_digest(raw)
    else:
        with pytest.raises(ImageError, match="can't convert"):
            content_digest(image, scratch=nowhere)
        assert content_digest(image, scratch=tmp_path / "scratch") == raw_digest(raw)


@pytest.mark.parametrize("seed", range(12))
def test_broken_tables_are_qemus_to_judge(raw: Path, tmp_path: Path, seed: int) -> None:
    """Whatever stands in them: QEMU's digest, QEMU's refusal, or the same as QEMU's in place."""
    image, plain = tmp_path / "image", tmp_path / "plain"
    qemu_img("convert", "-f", "raw", "-O", "qcow2", raw, image)
    chance = random.Random(seed)
    data = bytearray(image.read_bytes())
    l1 = int.from_bytes(data[40:48], "big")
    l2 = int.from_bytes(data[l1 : l1 + 8], "big") & 0x00FFFFFFFFFFFE00
    place = chance.choice(
        [chance.randrange(104), l1 + chance.randrange(8), l2 + chance.randrange(512)]
    )
    data[place] ^= 1 << chance.randrange(8)
    image.write_bytes(data)
    try:
        found = content_digest(image, scratch=tmp_path / "scratch")
    except ImageError:
        return
    done = subprocess.run(
        ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, plain],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode or found == raw_digest(plain)


def test_what_is_unreadable_has_none_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"no qcow2")
    with pytest.raises(ImageError, match="can't convert"):
        content_digest(tmp_path / "bad", scratch=tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()
